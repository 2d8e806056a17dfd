//! A JSON object split into keys and texts, which stay where they are.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::fold::{Fold, FoldEntries};
use super::{MOST_KEYS, Object, ObjectError, is_any_of};

/// The keys and texts of an object, in order: an [`Object`] for as long as it takes to read it.
#[derive(Default)]
pub(crate) struct Entries<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Entries<'a> {
    /// As [`Object::from_slice`].
    pub(crate) fn from_slice(json: &'a [u8]) -> Result<Self, ObjectError> {
        document(json)
    }

    /// The entries of a value that is an object.
    pub(crate) fn of(value: &'a RawValue) -> Result<Self, ObjectError> {
        serde_json::from_str(value.get()).map_err(|e| ObjectError::new("JSON object", e))
    }

    /// As [`Object::parse_key`].
    pub(crate) fn parse_key<T: Deserialize<'a>>(&self, key: &str) -> Result<Option<T>, ObjectError> {
        decode(key, self.get(key))
    }

    /// As [`Object::parse`].
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, ObjectError> {
        T::deserialize(FoldEntries::new(self)).map_err(|e| ObjectError::new("object", e))
    }

    /// The items of the list at `key`; an absent key and `null` are an empty one.
    pub(crate) fn list(&self, key: &str) -> Result<Vec<&'a RawValue>, ObjectError> {
        match self.some(key) {
            Some(list) => {
                serde_json::from_str(list.get()).map_err(|e| ObjectError::new(format!("key {key:?}"), e))
            }
            None => Ok(Vec::new()),
        }
    }

    /// The object at `key`, unless it is absent or `null`.
    pub(crate) fn some_entries(&self, key: &str) -> Result<Option<Self>, ObjectError> {
        self.some(key)
            .map(|value| Self::of(value).map_err(|e| e.at(key)))
            .transpose()
    }

    /// As [`Object::without`].
    pub(crate) fn without(&self, known: &[&str]) -> Object {
        let rest = self.0.iter().filter(|(key, _)| !is_any_of(key, known));
        Object(
            rest.map(|(key, value)| (key.to_string(), (*value).to_owned()))
                .collect(),
        )
    }

    /// What stands at `key`, unless it is `null`, which means the same as nothing.
    pub(super) fn some(&self, key: &str) -> Option<&'a RawValue> {
        self.get(key).filter(|value| value.get() != "null")
    }

    fn get(&self, key: &str) -> Option<&'a RawValue> {
        let mut from_the_last = self.0.iter().rev();
        from_the_last
            .find(|(k, _)| k.eq_ignore_ascii_case(key))
            .map(|(_, value)| *value)
    }
}

impl<'a> From<&'a Object> for Entries<'a> {
    fn from(object: &'a Object) -> Self {
        Self(
            object
                .iter()
                .map(|(key, value)| (Cow::Borrowed(key), value))
                .collect(),
        )
    }
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::with_capacity(8);
                while let Some((Key(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                    if entries.len() > MOST_KEYS {
                        return Err(A::Error::custom("more than 65536 keys in one object"));
                    }
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// What the document `json` holds, and nothing behind it.
pub(super) fn document<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, ObjectError> {
    // Bytes would be looked at as UTF-8 at every level. Those that are none fail at their place.
    let read = match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(json),
    };
    read.map_err(ObjectError::of_text)
}

/// What stands at `key`, decoded; nothing and `null` are `None`.
pub(super) fn decode<'a, T: Deserialize<'a>>(
    key: &str,
    value: Option<&'a RawValue>,
) -> Result<Option<T>, ObjectError> {
    match value.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some(text) => T::deserialize(Fold::new(text))
            .map(Some)
            .map_err(|e| ObjectError::new(format!("key {key:?}"), e)),
    }
}

/// A key, which has a text of its own only if something in it is escaped.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
