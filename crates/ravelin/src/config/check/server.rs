//! `[server]` and `[log]`: addresses, limits, the access log.

use std::net::SocketAddr;
use std::ops::Range;

use ravelin_server::{Limits, overlap};

use super::super::fault::Fault;
use super::super::placed::{At, Key};
use super::super::raw;
use super::super::{LogConfig, LogFormat, LogTarget, default_listen};
use super::{Check, value};
use crate::listen_on::ListenOn;

/// The addresses of HTTPS and those of the redirect to it.
pub(super) fn addresses(
    server: &raw::Server,
    check: &mut Check<'_>,
) -> (Vec<SocketAddr>, Vec<SocketAddr>) {
    let listen = list(&server.listen, check);
    let redirect = list(&server.redirect, check);
    for (place, address) in &redirect {
        if address.port() == 0 {
            continue;
        }
        if let Some((earlier, other)) = listen.iter().find(|(_, other)| overlap(other, address)) {
            let fault = Fault::AddressWithin(*other, *address);
            check.problems.again(place, earlier, fault);
            continue;
        }
        let Some((earlier, _)) = listen.iter().find(|(_, other)| other == address) else {
            // The addresses served when none is given may collide too.
            if server.listen.given().is_none() && default_listen().contains(address) {
                let fault = Fault::AddressForBoth(*address);
                check.problems.add(place, fault);
            }
            continue;
        };
        let fault = Fault::AddressForBoth(*address);
        check.problems.again(place, earlier, fault);
    }
    let plain = |list: Vec<(Range<usize>, SocketAddr)>| list.into_iter().map(|(_, a)| a).collect();
    let listen = match server.listen.given() {
        Some(_) => plain(listen),
        None => default_listen(),
    };
    (listen, plain(redirect))
}

fn list(key: &Key<Vec<At<String>>>, check: &mut Check<'_>) -> Vec<(Range<usize>, SocketAddr)> {
    let mut list: Vec<(Range<usize>, SocketAddr)> = Vec::new();
    for at in key.value().into_iter().flatten() {
        let on = at.value.parse::<ListenOn>().map_err(|error| Fault::Listen {
            text: at.value.clone(),
            mend: error.to_string(),
        });
        let Some(on) = check.problems.take(&at.place, on) else {
            continue;
        };
        for address in on.addresses() {
            // Port 0 is another free port each time.
            let clash = |(_, other): &&(_, SocketAddr)| {
                address.port() != 0 && (other == address || overlap(other, address))
            };
            match list.iter().find(clash) {
                Some((earlier, other)) => {
                    let fault = if other == address {
                        Fault::AddressTwice(*address)
                    } else {
                        Fault::AddressWithin(*other, *address)
                    };
                    check.problems.again(&at.place, earlier, fault);
                }
                None => list.push((at.place.clone(), *address)),
            }
        }
    }
    list
}

/// The limits, those not given as they are by default.
pub(super) fn limits(raw: &raw::Limits, check: &mut Check<'_>) -> Limits {
    let default = Limits::default();
    let header_bytes = value::size(&raw.header_bytes, default.header_bytes as u64, check);
    if let Some(at) = raw.header_bytes.given()
        && !(MIN_HEADER..=MAX_HEADER).contains(&header_bytes)
    {
        let fault = Fault::SizeRange {
            least: "8KiB",
            most: "16MiB",
        };
        check.problems.add(&at.place, fault);
    }
    Limits {
        handshake_timeout: value::time(&raw.handshake_timeout, default.handshake_timeout, check),
        header_timeout: value::time(&raw.header_timeout, default.header_timeout, check),
        idle_timeout: value::time(&raw.idle_timeout, default.idle_timeout, check),
        min_body_rate: value::size(&raw.min_body_rate, default.min_body_rate, check),
        header_bytes: header_bytes as usize,
        header_fields: raw
            .header_fields
            .value()
            .map_or(default.header_fields, |fields| *fields as usize),
        http2_streams: raw.http2_streams.copied_or(default.http2_streams),
        connections: raw.connections.value().map(|most| *most as usize),
        connections_per_address: raw
            .connections_per_address
            .value()
            .map(|most| *most as usize),
        drain_timeout: value::time(&raw.drain_timeout, default.drain_timeout, check),
    }
}

/// The access log, if there is a `[log]`.
pub(super) fn log(raw: &Key<raw::Log>, check: &mut Check<'_>) -> Option<LogConfig> {
    let raw = raw.value()?;
    let to = match raw.to.given() {
        Some(to) if to.value != "stdout" => LogTarget::File(log_file(to, check)),
        _ => {
            let rotate_size = raw.rotate_size.given().map(|at| ("rotate_size", &at.place));
            let keep = raw.keep.given().map(|at| ("keep", &at.place));
            for (key, place) in rotate_size.into_iter().chain(keep) {
                check.problems.add(place, Fault::RotatedStdout(key));
            }
            LogTarget::Stdout
        }
    };
    let rotate_bytes = value::size(&raw.rotate_size, DEFAULT_ROTATE, check);
    if let Some(at) = raw.rotate_size.given()
        && rotate_bytes < MIN_ROTATE
    {
        let fault = Fault::SizeRange {
            least: "64KiB",
            most: "8388607TiB",
        };
        check.problems.add(&at.place, fault);
    }
    Some(LogConfig {
        format: match raw.format.value() {
            Some(raw::LogFormat::Json) => LogFormat::Json,
            Some(raw::LogFormat::Combined) | None => LogFormat::Combined,
        },
        to,
        rotate_bytes,
        keep: raw.keep.copied_or(DEFAULT_KEEP) as usize,
    })
}

fn log_file(to: &At<String>, check: &mut Check<'_>) -> std::path::PathBuf {
    let file = check.path(&to.value);
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => std::path::Path::new("."),
    };
    // What is asked is whether this process may, as the access would be checked later.
    let writable = |path: &std::path::Path| {
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK) != Err(rustix::io::Errno::ACCESS)
    };
    let fault = if file.is_dir() || file.as_os_str().is_empty() {
        Some(Fault::LogIsFolder(file.clone()))
    } else if !folder.is_dir() {
        Some(Fault::LogFolder(folder.to_owned()))
    } else if !writable(folder) || (file.exists() && !writable(&file)) {
        Some(Fault::LogDenied(file.clone()))
    } else {
        None
    };
    if let Some(fault) = fault {
        check.problems.add(&to.place, fault);
    }
    file
}

/// What hyper needs to read a header at all.
const MIN_HEADER: u64 = 8 * 1024;
/// More than this for each connection is a gift to an attacker.
const MAX_HEADER: u64 = 16 * 1024 * 1024;
/// Smaller files would be rotated away before anyone read them.
const MIN_ROTATE: u64 = 64 * 1024;
const DEFAULT_ROTATE: u64 = 100 * 1024 * 1024;
const DEFAULT_KEEP: u32 = 5;
