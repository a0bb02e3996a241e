//! The life of a server: it starts, or says why not; changes while it runs; and ends.

mod changing;
mod kill;
mod load;
mod reload;
pub(crate) mod renewal;
mod start;
mod stop;
mod systemd;

use crate::server::{Place, Server};

/// A config of one site, `localhost` and `127.0.0.1`, that serves `public` and says `word` under
/// `/word`. `server` has more keys of `[server]`, or tables.
pub(crate) fn config(server: &str, word: &str) -> String {
    format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n{server}\n\
         [[site]]\nhosts = [\"localhost\", \"127.0.0.1\"]\n\
         [[site.route]]\npath = \"/word\"\nrespond = {{ body = \"{word}\" }}\n\
         [[site.route]]\nfiles = \"public\"\n"
    )
}

fn serve(place: &Place) -> Server {
    place.serve_config(&config("", "one"))
}

/// A file that does not fit into buffers on its way: 64 MiB.
fn large_file(place: &Place) -> Vec<u8> {
    let large: Vec<u8> = (0..16 << 20_u32)
        .flat_map(|n: u32| n.to_le_bytes())
        .collect();
    place.write("public/large.bin", &large);
    large
}
