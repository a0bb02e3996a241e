//! Connections as JSON: what programs read is what the schema says, whole, and holds no secret that was not
//! asked for.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use ravelin_lens::explain::Language;
use ravelin_lens::json::{Document, Field, document, schema};
use ravelin_lens::ledger::Secrets;
use ravelin_lens::story::Story;

use crate::traces::Trace;

/// Of Python's jsonschema, which reads the schema and then a document a line.
const VALIDATE: &str = r#"
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for line in sys.stdin:
    for error in validator.iter_errors(json.loads(line)):
        print(error.json_path, error.message[:200])
print("looked at all")
"#;

fn stories() -> Vec<Story> {
    [
        include_str!("rfc8448/section-3.txt"),
        include_str!("rfc8448/section-4.txt"),
        include_str!("rfc8448/section-5.txt"),
        include_str!("rfc8448/section-6.txt"),
        include_str!("rfc8448/section-7.txt"),
    ]
    .map(|trace| Trace::read(trace).tell())
    .into()
}

fn documents() -> Vec<Document> {
    let stories = stories();
    let stories: Vec<&Story> = stories.iter().collect();
    let mut documents = Vec::new();
    for language in Language::ALL {
        for secrets in [Secrets::Shown, Secrets::Hidden] {
            documents.push(document(&stories, language, secrets));
        }
    }
    documents
}

/// `RAVELIN_BLESS=1` writes it anew.
#[test]
fn the_schema_in_docs_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/inspect.schema.json");
    let schema = schema().unwrap();
    if env::var_os("RAVELIN_BLESS").is_some() {
        fs::write(&path, &schema).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), schema);
}

#[test]
fn another_reader_of_schemas_finds_each_document_valid() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = package.join("../../.venv/bin/python");
    assert!(
        python.exists(),
        "there is no .venv in the repository: ./test makes it"
    );
    let mut child = Command::new(python)
        .args(["-c", VALIDATE])
        .arg(package.join("../../docs/inspect.schema.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines: Vec<String> = documents()
        .iter()
        .map(|document| serde_json::to_string(document).unwrap())
        .collect();
    // What is no document is to be found, or the reader proves nothing.
    lines.push(r#"{"schema": 1}"#.to_owned());
    for line in lines {
        writeln!(input, "{line}").unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let (errors, end): (Vec<&str>, Vec<&str>) =
        said.lines().partition(|line| line.starts_with('$'));
    assert_eq!(end, ["looked at all"], "{said}");
    let of_the_wrong_one = |error: &&&str| {
        error.contains("is a required property") || error.contains("1 is not of type 'string'")
    };
    assert_eq!(errors.len(), 4, "{said}");
    assert_eq!(errors.iter().filter(of_the_wrong_one).count(), 4, "{said}");
}

#[test]
fn a_document_that_was_read_is_the_one_that_was_written() {
    for document in documents() {
        let text = serde_json::to_string(&document).unwrap();
        let read: Document = serde_json::from_str(&text).unwrap();
        assert_eq!(read, document);
    }
}

#[test]
fn every_octet_of_a_step_is_in_exactly_one_field_without_fields() {
    for document in documents() {
        for connection in &document.connections {
            for step in &connection.steps {
                let mut at = step.fields.start;
                covers(&step.fields, &mut at);
                assert_eq!(at, step.fields.end, "{}", step.title);
                if let Some(hex) = &step.hex {
                    assert_eq!(hex.len(), 2 * step.fields.end);
                }
            }
        }
    }
}

fn covers(field: &Field, at: &mut usize) {
    assert_eq!(field.start, *at, "{}", field.name);
    for below in &field.fields {
        covers(below, at);
    }
    if field.fields.is_empty() {
        *at = field.end;
    }
    assert_eq!(field.end, *at, "{}", field.name);
}

#[test]
fn what_refers_to_another_part_refers_to_one_that_is_there() {
    for connection in documents()
        .iter()
        .flat_map(|document| &document.connections)
    {
        let (quantities, steps) = (connection.quantities.len(), connection.steps.len());
        for (number, quantity) in connection.quantities.iter().enumerate() {
            assert_eq!(quantity.number, number);
            assert!(quantity.formula.inputs.iter().all(|input| *input < number));
            assert!(quantity.missing.iter().all(|missing| *missing < number));
        }
        for step in &connection.steps {
            assert!(step.derived.iter().all(|quantity| *quantity < quantities));
            let behind = step.first_record + step.record_count;
            assert!(behind <= connection.records.len());
        }
        for check in &connection.checks {
            assert!(check.step < steps);
            assert!(check.inputs.iter().all(|input| *input < quantities));
        }
    }
}

#[test]
fn secrets_are_in_it_only_where_they_are_asked_for() {
    let stories = stories();
    let stories: Vec<&Story> = stories.iter().collect();
    let text = |secrets| {
        let document = document(&stories, Language::English, secrets);
        serde_json::to_string(&document).unwrap()
    };
    let (shown, hidden) = (text(Secrets::Shown), text(Secrets::Hidden));
    for story in &stories {
        let secret = story.ledger.iter().filter(|(_, it)| !it.is_public());
        for (_, quantity) in secret {
            let Some(value) = &quantity.value else {
                continue;
            };
            let hex: String = value.iter().map(|octet| format!("{octet:02x}")).collect();
            assert!(shown.contains(&hex), "{quantity:?}");
            // What a peer sent as the proof of a key is in its message.
            let was_sent = ["verify_data", "binder"].contains(&quantity.name);
            assert!(was_sent || !hidden.contains(&hex), "{quantity:?}");
        }
    }
    let data = "000102030405060708090a0b0c0d0e0f1011121314";
    assert!(shown.contains(data) && !hidden.contains(data));
}
