//! Holds a parsed document against the schema of the file: keys that do not exist, values of
//! another type, keys that are missing, numbers out of range.
//!
//! serde stops at the first such error. Here all are noted and what is wrong is cut out of the
//! document, so that the rest can still be read and judged in the same run. And since the schema is
//! the one that editors use, an editor and `ravelin check` agree.

use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use super::fault::Fault;
use super::problem::Problems;

/// Notes where `document` departs from `schema` and cuts out what does.
pub(super) fn hold(document: &mut DeTable<'_>, schema: &Value, problems: &mut Problems) {
    Shape {
        root: schema,
        problems,
    }
    .table("the file", None, document, schema);
}

struct Shape<'a> {
    root: &'a Value,
    problems: &'a mut Problems,
}

/// Where a table stands; the whole file stands nowhere in it.
type Place<'p> = Option<&'p Range<usize>>;

impl<'a> Shape<'a> {
    fn table(&mut self, name: &str, place: Place<'_>, table: &mut DeTable<'_>, schema: &'a Value) {
        self.presence(name, place, table, schema);
        let entries = std::mem::take(table).into_iter();
        table.extend(entries.filter_map(|(key, mut value)| {
            let word = key.get_ref().as_ref();
            let property = match schema["properties"].get(word) {
                Some(property) => property,
                None if schema["additionalProperties"].is_object() => {
                    &schema["additionalProperties"]
                }
                None => {
                    let known = schema["properties"].as_object();
                    let fault = Fault::UnknownKey {
                        key: word.to_owned(),
                        known: known.into_iter().flat_map(Map::keys).cloned().collect(),
                    };
                    self.problems.add(&key.span(), fault);
                    return None;
                }
            };
            let good = self.value(word, &format!("`{word}`"), &mut value, property);
            if let Some(place) = place.filter(|_| !good) {
                self.problems.cut(place, word);
            }
            good.then_some((key, value))
        }));
    }

    /// Which keys a table must have: `required`, `minProperties`, and exactly one of those that a
    /// `oneOf` of `required` names.
    fn presence(&mut self, name: &str, place: Place<'_>, table: &DeTable<'_>, schema: &Value) {
        for key in strings(&schema["required"]) {
            if !table.contains_key(&*key) {
                let example = example(&key, &schema["properties"][&key]);
                self.note(place, Fault::MissingKey { key, example });
            }
        }
        let choice: Vec<_> = items(&schema["oneOf"])
            .flat_map(|option| strings(&option["required"]))
            .collect();
        let chosen: Vec<_> = table
            .keys()
            .filter(|key| choice.iter().any(|word| word == key.get_ref().as_ref()))
            .map(Spanned::span)
            .collect();
        if chosen.is_empty()
            && let Some(first) = choice.first()
        {
            let fault = Fault::NoneOf {
                table: name.to_owned(),
                example: example(first, &schema["properties"][first]),
                keys: choice,
            };
            self.note(place, fault);
        } else if let Some(first) = chosen.iter().min_by_key(|span| span.start)
            && let Some(last) = chosen.iter().max_by_key(|span| span.start)
            && first != last
        {
            let fault = Fault::SeveralOf {
                table: name.to_owned(),
                keys: choice,
            };
            self.problems.again(last, first, fault);
        }
    }

    /// Whether the value of the key `name` is of use to the reader that comes next. `what` is what a
    /// sentence calls it.
    fn value<'i>(
        &mut self,
        name: &str,
        what: &str,
        value: &mut Spanned<DeValue<'i>>,
        property: &'a Value,
    ) -> bool {
        let place = value.span();
        let options = self.options(property);
        let Some(schema) = options
            .iter()
            .find(|schema| schema["type"] == type_of(value.get_ref()))
        else {
            let wanted: Vec<_> = options.iter().map(|schema| wanted(schema)).collect();
            let is_tables = |schema: &&Value| self.resolved(&schema["items"])["type"] == "object";
            let fault =
                if matches!(value.get_ref(), DeValue::Table(_)) && options.iter().any(is_tables) {
                    Fault::SingleTable {
                        table: name.to_owned(),
                    }
                } else {
                    Fault::WrongType {
                        what: what.to_owned(),
                        wanted: wanted.join(" or "),
                        found: found(value.get_ref()),
                        example: example(name, property),
                    }
                };
            self.problems.add(&place, fault);
            return false;
        };
        let fault = match value.get_mut() {
            DeValue::Table(table) => {
                self.table(name, Some(&place), table, schema);
                let least = usize::from(schema["minProperties"].is_u64());
                (table.len() < least).then(|| Fault::Empty {
                    key: name.to_owned(),
                    example: example(name, property),
                })
            }
            DeValue::Array(array) if array.is_empty() && schema["minItems"].is_u64() => {
                Some(Fault::Empty {
                    key: name.to_owned(),
                    example: example(name, property),
                })
            }
            DeValue::Array(array) => {
                let each = format!("each entry of `{name}`");
                let items = std::mem::replace(array, DeArray::new()).into_iter();
                let kept: DeArray<'i> = items
                    .filter_map(|mut item| {
                        self.value(name, &each, &mut item, &schema["items"])
                            .then_some(item)
                    })
                    .collect();
                *array = kept;
                None
            }
            DeValue::Integer(number) => out_of_range(name, number, schema, property),
            DeValue::String(text) => {
                not_one_of(name, &Value::from(text.as_ref()), schema, property)
            }
            DeValue::Boolean(value) => not_one_of(name, &Value::from(*value), schema, property),
            _ => None,
        };
        match fault {
            Some(fault) => {
                self.problems.add(&place, fault);
                false
            }
            None => true,
        }
    }

    /// The schemas of which a value may follow any.
    fn options(&self, property: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolved(property);
        match schema["anyOf"].as_array() {
            Some(options) => options.iter().map(|option| self.resolved(option)).collect(),
            None => vec![schema],
        }
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        schema["$ref"]
            .as_str()
            .and_then(|path| self.root.pointer(path.trim_start_matches('#')))
            .unwrap_or(schema)
    }

    fn note(&mut self, place: Place<'_>, fault: Fault) {
        match place {
            Some(place) => self.problems.add(place, fault),
            None => self.problems.whole(fault),
        }
    }
}

fn out_of_range(
    key: &str,
    number: &DeInteger<'_>,
    schema: &Value,
    property: &Value,
) -> Option<Fault> {
    let number = i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(i128::MAX);
    let least = schema["minimum"].as_i64().map_or(i128::MIN, i128::from);
    // TOML integers that every reader takes are of 64 bits.
    let most = schema["maximum"].as_i64().unwrap_or(i64::MAX).into();
    if !(least..=most).contains(&number) {
        return Some(Fault::OutOfRange {
            key: key.to_owned(),
            least,
            most,
            example: example(key, property),
        });
    }
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    not_one_of(key, &Value::from(number), schema, property)
}

fn not_one_of(key: &str, value: &Value, schema: &Value, property: &Value) -> Option<Fault> {
    let allowed = schema["enum"].as_array()?;
    (!allowed.contains(value)).then(|| Fault::NotOneOf {
        key: key.to_owned(),
        allowed: allowed.iter().map(toml_text).collect(),
        example: example(key, property),
    })
}

/// The name that JSON Schema has for the type of a value.
fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
        // JSON has no such type, and no key of the file is one.
        DeValue::Datetime(_) => "date-time",
    }
}

/// What a value is, in words of the user.
fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(true) => "`true`",
        DeValue::Boolean(false) => "`false`",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
        DeValue::Datetime(_) => "a date",
    }
}

/// What a schema asks for, in words of the user.
pub(super) fn wanted(schema: &Value) -> String {
    match schema["type"].as_str().unwrap_or_default() {
        "string" => match schema["enum"].as_array() {
            Some(words) => words.iter().map(toml_text).collect::<Vec<_>>().join(" or "),
            None => "text".to_owned(),
        },
        "integer" => "a whole number".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "array" => "a list".to_owned(),
        _ => "a table".to_owned(),
    }
}

/// A line of the file that sets `key` as the schema's example does.
fn example(key: &str, property: &Value) -> Option<String> {
    let example = property["examples"].get(0)?;
    Some(format!("{key} = {}", toml_text(example)))
}

/// A JSON value as it is written in TOML, on one line.
pub(super) fn toml_text(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Array(items) => format!("[{}]", joined(items.iter().map(toml_text).collect())),
        Value::Object(table) if table.is_empty() => "{}".to_owned(),
        Value::Object(table) => {
            let pairs = table.iter().map(|(key, value)| {
                let bare = key
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
                let key = if bare {
                    key.clone()
                } else {
                    format!("{key:?}")
                };
                format!("{key} = {}", toml_text(value))
            });
            format!("{{ {} }}", joined(pairs.collect()))
        }
        // JSON escapes are TOML escapes.
        other => other.to_string(),
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn strings(value: &Value) -> Vec<String> {
    items(value)
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect()
}
