//! A JSON object as it came in: keys in order, values as text.
//!
//! Nothing that is not understood is lost: unknown keys keep their place, numbers their digits.

mod entries;
mod fold;
mod spellings;

pub(crate) use entries::Entries;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A value that is not what its place demands.
#[derive(Debug, thiserror::Error)]
#[error("decode {what}")]
pub struct ObjectError {
    what: String,
    #[source]
    source: serde_json::Error,
}

impl ObjectError {
    /// What is wrong with a part of a text; where in the part would be taken for where in the whole.
    pub(super) fn new(what: impl Into<String>, source: serde_json::Error) -> Self {
        Self {
            what: what.into(),
            source: without_place(source),
        }
    }

    /// What is wrong with a whole text, and where, unless that is before its first character.
    fn of_text(source: serde_json::Error) -> Self {
        let what = "JSON object";
        match (source.line(), source.column()) {
            (1, 0) => Self::new(what, source),
            _ => Self {
                what: what.to_owned(),
                source,
            },
        }
    }

    /// The same failure, met at `place`.
    pub(super) fn at(self, place: impl Into<String>) -> Self {
        Self::new(place, self.source)
    }
}

fn without_place(error: serde_json::Error) -> serde_json::Error {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    text.strip_suffix(&place).map_or(error, serde_json::Error::custom)
}

/// A JSON object whose keys keep their order and whose values keep their text.
///
/// A key is looked up as the reference's plugins do it: without regard to case (of ASCII letters), and of
/// several the last counts.
#[derive(Clone, Default)]
pub struct Object(Vec<(String, Box<RawValue>)>);

impl Object {
    /// An object without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one JSON object and nothing after it.
    ///
    /// # Errors
    /// When `json` is not JSON or not an object.
    pub fn from_slice(json: &[u8]) -> Result<Self, ObjectError> {
        entries::document(json)
    }

    /// The text of the value at `key`.
    pub fn get(&self, key: &str) -> Option<&RawValue> {
        self.position(key).map(|at| &*self.0[at].1)
    }

    /// The value at `key`, decoded; an absent key and `null` are `None`.
    ///
    /// # Errors
    /// When the value is not a `T`; the error names the key.
    pub fn parse_key<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ObjectError> {
        entries::decode(key, self.get(key))
    }

    /// The whole object, decoded: keys of structs match without regard to case, at every depth.
    ///
    /// # Errors
    /// When the object is not a `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ObjectError> {
        Entries::from(self).parse()
    }

    /// Puts `value` at `key`: in place of what was there, else at the end.
    ///
    /// # Errors
    /// When `value` cannot be written as JSON.
    pub fn set<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), ObjectError> {
        let raw = serde_json::value::to_raw_value(value)
            .map_err(|e| ObjectError::new(format!("value of {key:?}"), e))?;
        self.set_raw(key, raw);
        Ok(())
    }

    /// Puts the text `value` at `key`: in place of what was there, else at the end.
    pub fn set_raw(&mut self, key: &str, value: Box<RawValue>) {
        match self.position(key) {
            Some(at) => self.0[at].1 = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// Puts every entry of `other` here as [`Object::set_raw`] does, in the time that it takes to read both.
    pub fn merge(&mut self, other: &Self) {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (at, (key, _)) in self.0.iter().enumerate() {
            places.insert(key.to_ascii_lowercase(), at);
        }
        for (key, value) in &other.0 {
            match places.entry(key.to_ascii_lowercase()) {
                Entry::Occupied(place) => self.0[*place.get()].1.clone_from(value),
                Entry::Vacant(place) => {
                    place.insert(self.0.len());
                    self.0.push((key.clone(), value.clone()));
                }
            }
        }
    }

    /// Takes every spelling of `key` out, and returns the value that counted.
    pub fn remove(&mut self, key: &str) -> Option<Box<RawValue>> {
        let removed = self.0.extract_if(.., |(k, _)| k.eq_ignore_ascii_case(key));
        removed.last().map(|(_, value)| value)
    }

    /// Puts `value` at `key` if there is one.
    pub(crate) fn set_some<T: Serialize>(&mut self, key: &str, value: Option<T>) -> Result<(), ObjectError> {
        value.map_or(Ok(()), |value| self.set(key, &value))
    }

    /// The entries whose keys are none of `known`, in whatever case.
    pub(crate) fn without(&self, known: &[&str]) -> Self {
        self.only(|key| !is_any_of(key, known))
    }

    /// Takes the entries out whose keys are among `known`, in whatever case.
    pub(crate) fn remove_all(&mut self, known: &[&str]) {
        self.0.retain(|(key, _)| !is_any_of(key, known));
    }

    /// The entries whose keys are wanted.
    pub(crate) fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(key, _)| wanted(key)).cloned().collect())
    }

    /// This object's entries, then those of `more`.
    pub(crate) fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// Keys and texts, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), &**value))
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.0.iter().rposition(|(k, _)| k.eq_ignore_ascii_case(key))
    }
}

/// Whether `key` is among `known`, in whatever case.
pub(crate) fn is_any_of(key: &str, known: &[&str]) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// Decodes JSON text with the reference's leniency about the case of keys.
///
/// # Errors
/// When `json` is not JSON or not a `T`.
#[cfg(test)]
fn from_str<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    T::deserialize(fold::Fold::new(serde_json::from_str::<&RawValue>(json)?.get()))
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.iter()
            .map(|(k, v)| (k, v.get()))
            .eq(other.iter().map(|(k, v)| (k, v.get())))
    }
}

impl Eq for Object {}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(k, v)| (k, v.get())))
            .finish()
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut entries: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                    if entries.len() > MOST_KEYS {
                        return Err(A::Error::custom("more than 65536 keys in one object"));
                    }
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// Far above any real document, and low enough that looking keys up one by one stays harmless.
const MOST_KEYS: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_digits_and_unknown_keys_survive() {
        let text = r#"{"z":1.10,"a":12345678901234567890123,"é":{"b":[ 1 ],"a":null},"z2":"<>&"}"#;
        let object = Object::from_slice(text.as_bytes()).unwrap();
        assert_eq!(object.to_string(), text);
    }

    #[test]
    fn keys_match_by_letter_and_the_last_counts() {
        let object = Object::from_slice(br#"{"name":"a","NAME":"b","Mtu":1,"mtU":2}"#).unwrap();
        assert_eq!(object.parse_key::<String>("name").unwrap().as_deref(), Some("b"));
        assert_eq!(object.parse_key::<u32>("mtu").unwrap(), Some(2));
        assert_eq!(object.parse_key::<u32>("absent").unwrap(), None);
    }

    #[test]
    fn set_replaces_in_place_and_remove_takes_every_spelling() {
        let mut object = Object::from_slice(br#"{"a":1,"B":2,"b":3}"#).unwrap();
        object.set("a", &7).unwrap();
        object.remove("b");
        object.set("c", "x").unwrap();
        assert_eq!(object.to_string(), r#"{"a":7,"c":"x"}"#);
    }

    #[test]
    fn merging_is_setting_each() {
        let mut object = Object::from_slice(br#"{"a":1,"B":2,"b":3}"#).unwrap();
        let other = Object::from_slice(br#"{"c":4,"A":5,"C":6,"b":7}"#).unwrap();
        object.merge(&other);
        assert_eq!(object.to_string(), r#"{"a":5,"B":2,"b":7,"c":6}"#);
    }

    #[test]
    fn an_error_says_where_in_the_whole_text_and_in_no_part_of_it() {
        #[derive(Debug, Deserialize)]
        struct Named {
            #[serde(rename = "a")]
            _a: Vec<String>,
        }
        let said = |json: &str| {
            let object = Object::from_slice(json.as_bytes());
            let decoded = object.and_then(|object| {
                let whole = Entries::from(&object);
                whole
                    .list("list")?
                    .into_iter()
                    .try_for_each(|item| Entries::of(item).map(drop))?;
                object.parse_key::<Vec<u8>>("key")?;
                object.parse::<Named>()
            });
            crate::spec::with_causes(&decoded.unwrap_err())
        };
        for (json, expected) in [
            (
                "{\n\"a\": 1,\n}",
                "decode JSON object: trailing comma at line 3 column 1",
            ),
            ("", "decode JSON object: EOF while parsing a value"),
            (
                "[1]",
                "decode JSON object: invalid type: sequence, expected a JSON object",
            ),
            (
                r#"{"list":7}"#,
                r#"decode key "list": invalid type: integer `7`, expected a sequence"#,
            ),
            (
                r#"{"list":[{},7]}"#,
                "decode JSON object: invalid type: integer `7`, expected a JSON object",
            ),
            (
                r#"{"key":[1,300]}"#,
                r#"decode key "key": [1]: invalid value: integer `300`, expected u8"#,
            ),
            (
                r#"{"a":["x",{}]}"#,
                r#"decode object: key "a": [1]: invalid type: map, expected a string"#,
            ),
            ("{}", "decode object: missing field `a`"),
        ] {
            assert_eq!(said(json), expected, "{json}");
        }
    }

    #[test]
    fn only_an_object_is_an_object() {
        for bad in ["", "[]", "null", "1", "{", r#"{"a"}"#, r#"{"a":1}x"#] {
            assert!(Object::from_slice(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
