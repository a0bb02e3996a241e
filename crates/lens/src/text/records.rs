//! The octets of a step, and the records that carried them.

use std::fmt::Write as _;

use anstyle::Style;

use super::lines::Lines;
use super::{BOLD, DIM, Options};
use crate::ledger::Secrets;
use crate::story::{SeenRecord, Step, Story, What};

pub(super) fn write(lines: &mut Lines, story: &Story, step: &Step, options: &Options) {
    let labels = options.language.labels();
    let shows_secrets = options.secrets == Secrets::Shown;
    if shows_secrets || step.what != What::ApplicationData {
        lines.styled(3, BOLD, labels.hex);
        dump(lines, &step.bytes);
    }
    let records = story.records.get(step.records.clone()).unwrap_or_default();
    if !records.is_empty() {
        lines.styled(3, BOLD, labels.records);
    }
    for record in records {
        write_record(lines, record, options);
    }
}

fn write_record(lines: &mut Lines, record: &SeenRecord, options: &Options) {
    let (language, labels) = (options.language, options.language.labels());
    let mut facts = vec![
        format!("{} {}", labels.offset, record.offset),
        language.octets(record.octets as u64),
        language.epoch(record.epoch),
    ];
    if let Some(opening) = &record.opening {
        facts.push(format!("{} {}", labels.sequence, opening.sequence));
        if options.secrets == Secrets::Shown {
            facts.push(format!("{} {}", labels.nonce, hex(&opening.nonce)));
        }
        let additional = hex(&opening.additional_data);
        facts.push(format!("{} {additional}", labels.additional_data));
        if opening.padding > 0 {
            let padding = language.octets(opening.padding as u64);
            facts.push(format!("{} {padding}", labels.padding));
        }
    }
    let kind = record.content_type.to_string();
    lines.labelled(5, DIM, &kind, &facts.join(" · "));
}

/// Octets as they are shown since there are terminals: where they are, in hexadecimal, as letters.
fn dump(lines: &mut Lines, octets: &[u8]) {
    let in_line = match lines.width() {
        76.. => 16,
        44.. => 8,
        _ => 4,
    };
    for (number, line) in octets.chunks(in_line).enumerate() {
        let mut pairs = String::with_capacity(3 * in_line);
        for octet in line {
            let _ = write!(pairs, "{octet:02x} ");
        }
        let letters: String = line
            .iter()
            .map(|octet| match octet {
                0x20..0x7f => char::from(*octet),
                _ => '.',
            })
            .collect();
        let (at, columns) = (number * in_line, 3 * in_line);
        lines.parts(&[
            (DIM, &format!("     {at:04x}  ")),
            (Style::new(), &format!("{pairs:columns$} ")),
            (DIM, &letters),
        ]);
    }
}

fn hex(octets: &[u8]) -> String {
    let mut hex = String::with_capacity(2 * octets.len());
    for octet in octets {
        let _ = write!(hex, "{octet:02x}");
    }
    hex
}
