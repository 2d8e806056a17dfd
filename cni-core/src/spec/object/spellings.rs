//! Of several spellings of one key, the one that counts for the reference's runtime.

use std::collections::HashMap;

use serde_json::value::{RawValue, to_raw_value};

use super::Object;

/// Deeper than any key that a plugin reads.
const DEEPEST: usize = 32;

impl Object {
    /// The object with the spellings of each key in the order of their bytes, at every depth; all else stays.
    ///
    /// libcni hands a plugin's object on with sorted keys, and the last spelling counts: of `type` and `TYPE` that
    /// is `type`, wherever they stand. Who checks a configuration for `type` must not be circumvented by the other.
    pub(crate) fn with_spellings_in_order(self) -> Self {
        in_order(&self, 0).unwrap_or(self)
    }
}

/// The object in order, if it was not.
fn in_order(object: &Object, depth: usize) -> Option<Object> {
    let mut entries = object.0.clone();
    let mut changed = false;
    for (_, value) in &mut entries {
        if let Some(settled) = value_in_order(value, depth + 1) {
            *value = settled;
            changed = true;
        }
    }
    for places in spellings(object) {
        let mut sorted: Vec<_> = places.iter().map(|at| entries[*at].clone()).collect();
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (at, entry) in places.into_iter().zip(sorted) {
            changed |= entries[at].0 != entry.0;
            entries[at] = entry;
        }
    }
    changed.then_some(Object(entries))
}

/// The places of each key that is there more than once.
fn spellings(object: &Object) -> Vec<Vec<usize>> {
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, (key, _)) in object.0.iter().enumerate() {
        places.entry(key.to_ascii_lowercase()).or_default().push(at);
    }
    places.into_values().filter(|places| places.len() > 1).collect()
}

fn value_in_order(value: &RawValue, depth: usize) -> Option<Box<RawValue>> {
    if depth > DEEPEST {
        return None;
    }
    match value.get().as_bytes().first()? {
        b'{' => {
            let object = Object::from_slice(value.get().as_bytes()).ok()?;
            to_raw_value(&in_order(&object, depth)?).ok()
        }
        b'[' => {
            let mut items: Vec<Box<RawValue>> = serde_json::from_str(value.get()).ok()?;
            let mut changed = false;
            for item in &mut items {
                if let Some(settled) = value_in_order(item, depth + 1) {
                    *item = settled;
                    changed = true;
                }
            }
            changed.then(|| to_raw_value(&items).ok())?
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let object = Object::from_slice(text.as_bytes()).unwrap();
        assert_eq!(object.with_spellings_in_order().to_string(), expected);
    }

    #[test]
    fn spellings_change_places_and_nothing_else_does() {
        check(
            r#"{"z":1,"type":"a","b":[ 1 ],"TYPE":"b","a":2}"#,
            r#"{"z":1,"TYPE":"b","b":[ 1 ],"type":"a","a":2}"#,
        );
        check(r#"{"x":1,"X":{"y":[ ]},"x":2}"#, r#"{"X":{"y":[ ]},"x":1,"x":2}"#);
        let already = r#"{"TYPE":"b","type":"a","b":[ {} ]}"#;
        check(already, already);
    }

    #[test]
    fn spellings_below_change_places_too() {
        check(
            r#"{"ipam":{"type":"a","Type":"b"}}"#,
            r#"{"ipam":{"Type":"b","type":"a"}}"#,
        );
        check(
            r#"{"l":[[{"a":1},{"b":1,"B":2}]]}"#,
            r#"{"l":[[{"a":1},{"B":2,"b":1}]]}"#,
        );
    }

    #[test]
    fn deep_nesting_and_many_keys_are_harmless() {
        let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
        check(&deep, &deep);
        let many: Vec<String> = (0..30_000).map(|n| format!(r#""k{n}":0,"K{n}":0"#)).collect();
        let object = Object::from_slice(format!("{{{}}}", many.join(",")).as_bytes()).unwrap();
        assert_eq!(object.with_spellings_in_order().iter().count(), 60_000);
    }
}
