//! What the page says besides.

use crate::explain::catalogue::PageWords;

pub(super) const PAGE: PageWords = PageWords {
    skip: "Go to the steps",
    contents: "On this page",
    intro: "What two programs said to each other until they could talk in private, octet by octet. \
            Everything that can be recomputed was, apart from the programs that did it first.",
    intro_visitor: "This is the connection that brought you this page, as the server saw it. Nobody \
                    else is shown it, and it is not kept.",
    secrets_shown: "The keys of the connection are in this page. Whoever has both the page and a \
                    recording of the connection can read it.",
    secrets_hidden: "The keys of the connection and its application data are left out of this page.",
    help: "j and k walk through the steps, and so do the arrow keys on one of them. Enter opens a step, \
           and Escape closes it.",
    help_tree: "Point at a field, and its octets light up; point at octets, and their field does. On \
                the keyboard: the arrow keys.",
    help_graph: "Choose a quantity to see its formula. On the keyboard: the arrow keys, and Enter.",
    more_connections: "{count} more connections are not shown.",
    connection: "Connection {number}",
    more_steps: "{count} more steps are not shown.",
    more_octets: "{octets} more are not shown.",
    more_fields: "{count} more fields are not shown.",
    more_records: "{count} more records are not shown.",
    more_quantities: "{count} more quantities are not shown.",
    round_trips: "round trips",
    forward_secret: "forward secret",
    failed: "The handshake was not completed.",
    quantum_safe: "quantum-safe key exchange",
    yes: "yes",
    partly: "partly",
    no: "no",
    diagram: "Who said what",
    diagram_description: "The client on the left, the server on the right. Each arrow is a message and \
                          leads to its step; time runs downwards.",
    graph_description: "What comes from outside is on the left. The secrets of the stages go down, and \
                        what is derived of each is to its right.",
    used_for: "used for",
    used_of: "computed of",
    tested: "Put to the test",
    carries: "carries",
    verdict: "what came out",
    made_by: "Made by Ravelin.",
    secret_left_out: "Application data is left out of this page.",
};
