//! The references of the config file and of the file of tunnels, made from their schemas: the tables of keys in
//! `docs/config.md` and `docs/tunnel.md`, and the schemas beside them. The tests here keep all of them true.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use schemars::Schema;
use serde_json::Value;

use super::shape::toml_text;
use super::tests::blessing;
use super::{raw, tunnel_keys};

/// A file, and where its reference is.
struct Page {
    name: &'static str,
    schema: fn() -> Schema,
    schema_name: &'static str,
    tables: &'static [Table],
}

/// A table of a file: heading, a sentence, and name in the schema.
type Table = (&'static str, &'static str, Option<&'static str>);

const CONFIG: Page = Page {
    name: "config.md",
    schema: raw::schema,
    schema_name: "ravelin.schema.json",
    tables: TABLES,
};

const TUNNELS: Page = Page {
    name: "tunnel.md",
    schema: tunnel_keys::schema,
    schema_name: "tunnels.schema.json",
    tables: TUNNEL_TABLES,
};

#[test]
fn the_tables_of_keys_in_the_docs_are_up_to_date() {
    for page in [CONFIG, TUNNELS] {
        let text = fs::read_to_string(docs(page.name)).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let made = format!("{before}{BEGIN}\n{}{END}{after}", tables(&page));
        keep(page.name, &text, &made);
    }
}

#[test]
fn the_schemas_for_editors_are_up_to_date() {
    for page in [CONFIG, TUNNELS] {
        let text = fs::read_to_string(docs(page.schema_name)).unwrap_or_default();
        let made = serde_json::to_string_pretty(&(page.schema)()).unwrap() + "\n";
        keep(page.schema_name, &text, &made);
    }
}

#[test]
fn every_table_of_the_files_is_in_the_docs() {
    for page in [CONFIG, TUNNELS] {
        let schema = (page.schema)();
        let defined = schema.get("$defs").unwrap().as_object().unwrap().keys();
        let mut defined: Vec<_> = defined.collect();
        defined.sort();
        let mut shown: Vec<_> = page
            .tables
            .iter()
            .filter_map(|(_, _, name)| *name)
            .collect();
        shown.sort_unstable();
        assert_eq!(defined, shown);
    }
}

#[test]
fn every_key_has_a_meaning_and_an_example_of_its_own_type() {
    for page in [CONFIG, TUNNELS] {
        let root = (page.schema)();
        for (_, _, name) in page.tables {
            for (key, property) in table(root.as_value(), *name)["properties"]
                .as_object()
                .unwrap()
            {
                assert!(property["description"].is_string(), "{key}");
                let options = options(root.as_value(), property);
                if let Some(written) = property.get("examples").and_then(|e| e.get(0)) {
                    let kind = match written {
                        Value::String(_) => "string",
                        Value::Number(_) => "integer",
                        Value::Bool(_) => "boolean",
                        Value::Array(_) => "array",
                        _ => "object",
                    };
                    assert!(options.iter().any(|option| option["type"] == kind), "{key}");
                }
            }
        }
    }
}

/// The worked example of the docs.
pub(super) fn example() -> String {
    let text = page();
    let (_, rest) = text.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A file with no more in it than it needs to have everything in it.
pub(super) fn with_what_is_required() -> String {
    file_with(|_, _| String::new())
}

/// The same file with all keys set to their defaults, as the schema tells them.
pub(super) fn with_defaults_spelled_out() -> String {
    file_with(|name, separator| {
        let root = raw::schema();
        let properties = table(root.as_value(), Some(name))["properties"].clone();
        let mut text = String::new();
        for (key, property) in properties.as_object().unwrap() {
            // These mean something else, or nothing, where they stand with what is required.
            let apart = ["to", "body", "certificate"].contains(&key.as_str());
            if let Some(default) = property.get("default").filter(|_| !apart) {
                write!(text, "{key} = {}{separator}", toml_text(default)).unwrap();
            }
        }
        text
    })
}

fn file_with(keys: impl Fn(&str, &str) -> String) -> String {
    let lines = |name| keys(name, "\n");
    let inline = |name| keys(name, ", ");
    let route = lines("Route").replace("path = \"/*\"\n", "");
    format!(
        "[server]\n{}[server.limits]\n{}[log]\nto = \"access.log\"\n{}\
         [[site]]\nhosts = [\"localhost\"]\n{}\
         [[site.route]]\nfiles = {{ {} root = \"public\" }}\n{}\
         [[site.route]]\npath = \"/a\"\nredirect = {{ {} to = \"/b\" }}\n{route}\
         [[site.route]]\npath = \"/b\"\nrespond = {{ {} body = \"b\" }}\n{route}\
         auth = {{ {} users = {{ ada = \"{HASH}\" }} }}\n",
        lines("Server"),
        lines("Limits"),
        lines("Log"),
        lines("Site"),
        inline("Files"),
        lines("Route"),
        inline("Redirect"),
        inline("Respond"),
        inline("Auth"),
    )
}

fn keep(name: &str, found: &str, made: &str) {
    if found == made {
        return;
    }
    assert!(
        blessing(),
        "docs/{name} is not what the types say; \
         RAVELIN_BLESS=1 cargo nextest run -p ravelin config rewrites it"
    );
    fs::write(docs(name), made).unwrap();
}

fn page() -> String {
    fs::read_to_string(docs(CONFIG.name)).unwrap()
}

fn docs(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name)
}

fn tables(page: &Page) -> String {
    let root = (page.schema)();
    let mut text = String::new();
    for (heading, about, name) in page.tables {
        let table = table(root.as_value(), *name);
        write!(text, "\n### {heading}\n\n{about}\n\n").unwrap();
        text.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
        for (key, property) in table["properties"].as_object().unwrap() {
            let default = if table["required"]
                .as_array()
                .is_some_and(|r| r.contains(&key.as_str().into()))
            {
                "required".to_owned()
            } else {
                property
                    .get("default")
                    .map(|default| format!("`{}`", toml_text(default)))
                    .unwrap_or_default()
            };
            let meaning = property["description"].as_str().unwrap().replace('\n', " ");
            let kinds: Vec<_> = options(root.as_value(), property)
                .into_iter()
                .map(kind)
                .collect();
            let kind = property["title"]
                .as_str()
                .map_or(kinds.join(" or "), str::to_owned);
            writeln!(
                text,
                "| `{key}` | {kind} | {default} | {} |",
                meaning.replace('|', "\\|")
            )
            .unwrap();
        }
    }
    text.push('\n');
    text
}

fn kind(schema: &Value) -> String {
    match schema["type"].as_str().unwrap() {
        "string" => match schema["enum"].as_array() {
            Some(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
                words.join(" or ")
            }
            None => "text".to_owned(),
        },
        "integer" => match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
            _ if schema["enum"].is_array() => {
                let words: Vec<_> = schema["enum"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(Value::to_string)
                    .collect();
                words.join(", ")
            }
            (Some(least), Some(most)) => format!("{least} to {most}"),
            _ => "number".to_owned(),
        },
        "boolean" if schema["enum"].is_array() => "`true`".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "array" if schema["items"]["type"] == "string" => "list of text".to_owned(),
        "array" => "tables".to_owned(),
        "object" if schema["additionalProperties"].is_object() => "table of text".to_owned(),
        "object" => "table".to_owned(),
        other => panic!("the docs have no word for {other}"),
    }
}

fn table<'s>(root: &'s Value, name: Option<&str>) -> &'s Value {
    name.map_or(root, |name| &root["$defs"][name])
}

fn options<'s>(root: &'s Value, property: &'s Value) -> Vec<&'s Value> {
    let resolved = |schema: &'s Value| match schema["$ref"].as_str() {
        Some(path) => root.pointer(path.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    match property["anyOf"].as_array() {
        Some(options) => options.iter().map(resolved).collect(),
        None => vec![resolved(property)],
    }
}

/// The tables of the config file in the order of the docs.
const TABLES: &[Table] = &[
    ("The file", "What stands at the top.", None),
    ("`[server]`", "What holds for all sites.", Some("Server")),
    (
        "`[server.limits]`",
        "What one client may take of the server.",
        Some("Limits"),
    ),
    ("`[log]`", "The access log.", Some("Log")),
    ("`[[site]]`", "One for each site.", Some("Site")),
    (
        "`certificate`",
        "In a `[[site]]` whose certificate comes from elsewhere. The files are read again when they change.",
        Some("CertificateFiles"),
    ),
    (
        "`[[site.route]]`",
        "One for each route, below its `[[site]]`. Exactly one of `files`, `redirect`, `respond` and `handshake` must be there.",
        Some("Route"),
    ),
    ("`files`", "In a `[[site.route]]`.", Some("Files")),
    ("`redirect`", "In a `[[site.route]]`.", Some("Redirect")),
    ("`respond`", "In a `[[site.route]]`.", Some("Respond")),
    ("`auth`", "In a `[[site.route]]`.", Some("Auth")),
    ("`rate_limit`", "In a `[[site.route]]`.", Some("RateLimit")),
];

/// Those of the file of tunnels.
const TUNNEL_TABLES: &[Table] = &[
    ("The file", "What stands at the top.", None),
    ("`[log]`", "The log.", Some("Log")),
    (
        "`[acme]`",
        "The CA of tunnels with `certificate = \"acme\"`.",
        Some("Acme"),
    ),
    (
        "`external_account`",
        "In `[acme]`.",
        Some("ExternalAccount"),
    ),
    (
        "`[[tunnel]]`",
        "One for each tunnel. Keys that begin with `to_` are about servers, and all others about clients.",
        Some("Tunnel"),
    ),
    (
        "`certificate` and `to_certificate`",
        "In a `[[tunnel]]`. The files are read again when they change.",
        Some("CertificateFiles"),
    ),
    (
        "`allow` and `to_allow`",
        "In a `[[tunnel]]`, any number of rules, of which one has to fit.",
        Some("Rule"),
    ),
    (
        "`[[tunnel.route]]`",
        "Below its `[[tunnel]]`, any number.",
        Some("TunnelRoute"),
    ),
    (
        "`limits`",
        "In a `[[tunnel]]`: what clients may take.",
        Some("TunnelLimits"),
    ),
];

const BEGIN: &str = "<!-- keys:begin -->";
const END: &str = "<!-- keys:end -->";
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";
