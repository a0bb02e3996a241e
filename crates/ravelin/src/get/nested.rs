//! Names of items that lead into a JSON body, as httpie has them: `a[b][0]=v`.

use serde_json::Value;

use crate::failure::Failure;

/// One step into a body.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    /// Behind the last one.
    Next,
}

/// Puts a value where a name says.
pub(super) fn put(body: &mut Value, name: &str, value: Value) -> Result<(), Failure> {
    let mut place = body;
    for step in steps(name)? {
        place = enter(place, step, name)?;
    }
    *place = value;
    Ok(())
}

fn enter<'v>(place: &'v mut Value, step: Step, name: &str) -> Result<&'v mut Value, Failure> {
    if place.is_null() {
        *place = match step {
            Step::Key(_) => Value::Object(serde_json::Map::new()),
            _ => Value::Array(Vec::new()),
        };
    }
    match (place, step) {
        (Value::Object(object), Step::Key(key)) => Ok(object.entry(key).or_insert(Value::Null)),
        (Value::Object(_), _) => Err(wrong(name, "an item before it made an object of that")),
        (Value::Array(_), Step::Key(_)) => {
            Err(wrong(name, "an item before it made a list of that"))
        }
        (Value::Array(array), step) => {
            let index = match step {
                Step::Index(index) => index,
                _ => array.len(),
            };
            if index >= MOST_ELEMENTS {
                return Err(wrong(name, "a list is not as long as that"));
            }
            if array.len() <= index {
                array.resize(index + 1, Value::Null);
            }
            Ok(&mut array[index])
        }
        _ => Err(wrong(name, "an item before it made a plain value of that")),
    }
}

/// The steps of a name. A backslash takes the meaning from a bracket, and from digits that would be an index.
fn steps(name: &str) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    let (first, _, mut rest) = word(name, '[');
    if !first.is_empty() || rest.is_none() {
        steps.push(Step::Key(first));
    }
    while let Some(inner) = rest {
        let (text, is_plain, behind) = word(inner, ']');
        let behind = behind.ok_or_else(|| wrong(name, "a bracket in it is not closed"))?;
        steps.push(match text.parse() {
            _ if text.is_empty() && is_plain => Step::Next,
            Ok(index) if is_plain && text.bytes().all(|octet| octet.is_ascii_digit()) => {
                Step::Index(index)
            }
            _ => Step::Key(text),
        });
        rest = match behind.strip_prefix('[') {
            None if !behind.is_empty() => {
                return Err(wrong(name, "something stands behind a bracket in it"));
            }
            inner => inner,
        };
    }
    Ok(steps)
}

/// The text before `end`, whether there was no backslash in it, and what is behind.
fn word(text: &str, end: char) -> (String, bool, Option<&str>) {
    let mut word = String::new();
    let mut is_plain = true;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => {
                is_plain = false;
                let next = rest.next();
                if !next.is_some_and(|next| matches!(next, '[' | ']') || next.is_ascii_digit()) {
                    word.push('\\');
                }
                word.extend(next);
            }
            _ if character == end => return (word, is_plain, Some(rest.as_str())),
            _ => word.push(character),
        }
    }
    (word, is_plain, None)
}

fn wrong(name: &str, why: &str) -> Failure {
    Failure::usage(format!("\"{name}\" leads nowhere in a JSON body: {why}"))
        .hint("a[b][0]=… leads in, a[]=… goes behind the last, and \\[ is a bracket".to_owned())
}

/// The longest list that an index makes: what is not said in it is null.
const MOST_ELEMENTS: usize = 10_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(items: &[(&str, Value)]) -> Result<Value, String> {
        let mut body = Value::Null;
        for (name, value) in items {
            put(&mut body, name, value.clone()).map_err(|failure| failure.message)?;
        }
        Ok(body)
    }

    #[test]
    fn names_lead_into_the_body() {
        let made = body(&[
            ("plain", json!(1)),
            ("a[b][c]", json!("x")),
            ("a[b][d][]", json!(1)),
            ("a[b][d][]", json!(2)),
            ("list[1]", json!(true)),
            (r"a[\0]", json!("key")),
            (r"x\[y\]", json!(null)),
            (r"C:\new", json!(3)),
            ("", json!("empty")),
        ]);
        let expected = json!({
            "plain": 1, "a": {"b": {"c": "x", "d": [1, 2]}, "0": "key"}, "list": [null, true],
            "x[y]": null, r"C:\new": 3, "": "empty",
        });
        assert_eq!(made.unwrap(), expected);
        let list = body(&[("[]", json!(1)), ("[1][a]", json!(2))]);
        assert_eq!(list.unwrap(), json!([1, {"a": 2}]));
    }

    #[test]
    fn what_leads_nowhere_is_told() {
        for (first, second, why) in [
            ("a", "a[b]", "a plain value"),
            ("a[]", "a[b]", "a list"),
            ("a[b]", "a[0]", "an object"),
            ("a", "b[c", "not closed"),
            ("a", "b[c]d", "behind a bracket"),
            ("a", "b[99999999]", "not as long"),
            ("[]", "a", "a list"),
        ] {
            let told = body(&[(first, json!(1)), (second, json!(2))]).unwrap_err();
            assert!(told.contains(why), "{first} {second}: {told}");
        }
    }
}
