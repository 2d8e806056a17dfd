//! Deserializers over JSON text that match the keys of structs without regard to case, as Go does.

use serde::Deserializer;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use super::{Entries, without_place};

type Error = serde_json::Error;

/// One JSON value: the text of a [`RawValue`], so that it is known to be JSON, and nothing behind it.
#[derive(Clone, Copy)]
pub(super) struct Fold<'a> {
    text: &'a str,
    /// The structs, maps and lists around it.
    depth: u8,
}

/// As deep as serde_json goes: each level takes room on the stack.
const DEEPEST: u8 = 128;

impl<'a> Fold<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, depth: 0 }
    }

    /// What stands in a struct, map or list at this depth.
    fn below(depth: u8, text: &'a str) -> Self {
        Self {
            text,
            depth: depth + 1,
        }
    }

    fn pairs(self) -> Result<Entries<'a>, Error> {
        serde_json::from_str(self.text)
    }

    /// Fails where a step down would be one too many.
    fn shallow(self) -> Result<Self, Error> {
        match self.depth {
            DEEPEST.. => Err(serde::de::Error::custom("recursion limit exceeded")),
            _ => Ok(self),
        }
    }

    /// Everything that holds no struct below it is serde_json's.
    fn plain(self) -> serde_json::Deserializer<serde_json::de::StrRead<'a>> {
        serde_json::Deserializer::from_str(self.text)
    }
}

impl<'de> IntoDeserializer<'de, Error> for Fold<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

/// Hands each call without structs below on to serde_json.
macro_rules! forward_to_plain {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.plain().$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Fold<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.plain().deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.text.trim_ascii() == "null" {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        // serde_json passes `RawValue` through a newtype of its own name.
        if name == "$serde_json::private::RawValue" {
            return self.plain().deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if !self.text.trim_ascii_start().starts_with('[') {
            return self.plain().deserialize_seq(visitor);
        }
        let items: Vec<&'de RawValue> = serde_json::from_str(self.shallow()?.text)?;
        visitor.visit_seq(Items {
            left: items.into_iter().enumerate(),
            depth: self.depth,
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        v: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(v)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if !self.text.trim_ascii_start().starts_with('{') {
            return self.plain().deserialize_map(visitor);
        }
        let pairs = self
            .shallow()?
            .pairs()?
            .0
            .into_iter()
            .map(|(key, value)| (key, Fold::below(self.depth, value.get())));
        visitor.visit_map(MapDeserializer::new(pairs))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if !self.text.trim_ascii_start().starts_with('{') {
            // Not `deserialize_struct`, which would take a list for a struct.
            return self.plain().deserialize_map(visitor);
        }
        visitor.visit_map(Fields::new(&self.shallow()?.pairs()?, fields, self.depth))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.plain().deserialize_enum(name, variants, visitor)
    }

    forward_to_plain! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_unit deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.plain().deserialize_unit_struct(name, visitor)
    }
}

/// An object that is already split into keys and texts.
pub(super) struct FoldEntries<'e, 'a>(&'e Entries<'a>);

impl<'e, 'a> FoldEntries<'e, 'a> {
    pub(super) fn new(entries: &'e Entries<'a>) -> Self {
        Self(entries)
    }
}

impl<'de> Deserializer<'de> for FoldEntries<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let pairs = self.0.0.iter();
        let pairs = pairs.map(|(key, value)| (key.clone(), Fold::below(0, value.get())));
        visitor.visit_map(MapDeserializer::new(pairs))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(Fields::new(self.0, fields, 0))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The entries of an object under the names of a struct's fields.
///
/// `null` counts as absent, so that a field's default applies, as it does in Go.
struct Fields<'e, 'a> {
    entries: &'e Entries<'a>,
    left: std::slice::Iter<'static, &'static str>,
    key: &'static str,
    value: Fold<'a>,
    depth: u8,
}

impl<'e, 'a> Fields<'e, 'a> {
    fn new(entries: &'e Entries<'a>, fields: &'static [&'static str], depth: u8) -> Self {
        Self {
            entries,
            left: fields.iter(),
            key: "",
            value: Fold::new("null"),
            depth,
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let present = |field: &&'static str| Some((*field, self.entries.some(field)?));
        let Some((key, value)) = self.left.find_map(present) else {
            return Ok(None);
        };
        (self.key, self.value) = (key, Fold::below(self.depth, value.get()));
        seed.deserialize(IntoDeserializer::<Error>::into_deserializer(key))
            .map(Some)
    }

    /// The error names the key; where in the value's own text it was found helps nobody.
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let decoded = seed.deserialize(self.value);
        decoded.map_err(|error| met_at(&format!("key {:?}", self.key), self.value.text, error))
    }
}

/// The elements of a list.
struct Items<'a> {
    left: std::iter::Enumerate<std::vec::IntoIter<&'a RawValue>>,
    depth: u8,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((at, item)) = self.left.next() else {
            return Ok(None);
        };
        let decoded = seed.deserialize(Fold::below(self.depth, item.get()));
        decoded
            .map(Some)
            .map_err(|error| met_at(&format!("[{at}]"), item.get(), error))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

/// The error of the value `text` at `place`, which holds the value unless it is long or said already.
#[cold]
fn met_at(place: &str, text: &str, error: Error) -> Error {
    const LONGEST: usize = 80;
    let what = without_place(error).to_string();
    let said = || what.contains(text) || what.contains(&format!("`{}`", text.trim_matches('"')));
    let message = match text.starts_with(['{', '[']) || text.len() > LONGEST || said() {
        true => format!("{place}: {what}"),
        false => format!("{place}: {text}: {what}"),
    };
    serde::de::Error::custom(message)
}

#[cfg(test)]
mod tests;
