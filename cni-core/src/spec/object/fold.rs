//! Deserializers over JSON text that match the keys of structs without regard to case, as Go does.

use serde::Deserializer;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
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
        visitor.visit_seq(SeqDeserializer::new(
            items.into_iter().map(|item| Fold::below(self.depth, item.get())),
        ))
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
        seed.deserialize(self.value).map_err(|error| {
            let what = without_place(error);
            serde::de::Error::custom(format!("key {:?}: {what}", self.key))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::{Object, from_str};

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Outer {
        is_gateway: bool,
        ranges: Vec<Vec<Inner>>,
        dns: Option<Inner>,
        count: u32,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        subnet: String,
        mtu: u32,
    }

    fn inner(subnet: &str) -> Inner {
        Inner {
            subnet: subnet.to_owned(),
            ..Inner::default()
        }
    }

    #[test]
    fn keys_of_structs_match_by_letter_at_every_depth() {
        let text =
            r#"{"ISgateway":true,"Ranges":[[{"SUBNET":"a"}]],"dns":{"subNet":"b"},"Count":null,"x":[1]}"#;
        let expected = Outer {
            is_gateway: true,
            ranges: vec![vec![inner("a")]],
            dns: Some(inner("b")),
            count: 0,
        };
        assert_eq!(from_str::<Outer>(text).unwrap(), expected);
        assert_eq!(
            Object::from_slice(text.as_bytes())
                .unwrap()
                .parse::<Outer>()
                .unwrap(),
            expected
        );
    }

    #[test]
    fn of_several_spellings_the_last_wins() {
        assert_eq!(from_str::<Outer>(r#"{"count":1,"COUNT":2}"#).unwrap().count, 2);
        assert_eq!(from_str::<Outer>(r#"{"COUNT":2,"count":1}"#).unwrap().count, 1);
        assert_eq!(from_str::<Outer>(r#"{"Count":1,"COUNT":2}"#).unwrap().count, 2);
        assert_eq!(from_str::<Outer>(r#"{"count":1,"count":2}"#).unwrap().count, 2);
    }

    #[test]
    fn an_error_names_the_keys_that_lead_to_it() {
        for (bad, expected) in [
            (
                r#"{"COUNT":"1"}"#,
                r#"key "count": invalid type: string "1", expected u32"#,
            ),
            (
                r#"{"dns":{"subnet":1}}"#,
                r#"key "dns": key "subnet": invalid type: integer `1`, expected a string"#,
            ),
            (
                r#"{"dns":{"mtu":"found at line 7"}}"#,
                r#"key "dns": key "mtu": invalid type: string "found at line 7", expected u32"#,
            ),
            (
                r#"{"dns":"x","count":[]}"#,
                r#"key "dns": invalid type: string "x", expected struct Inner"#,
            ),
            (
                r#"{"ranges":[[{"subnet":[]}]]}"#,
                r#"key "ranges": key "subnet": invalid type: sequence, expected a string"#,
            ),
        ] {
            assert_eq!(from_str::<Outer>(bad).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn nesting_ends_before_the_stack_does() {
        #[derive(Debug, Default, Deserialize)]
        #[serde(default)]
        struct Node {
            child: Option<Box<Node>>,
            children: Vec<Node>,
        }
        let nested = |open: &str, close: &str, times: usize| {
            let text = format!("{}{{}}{}", open.repeat(times), close.repeat(times));
            Object::from_slice(text.as_bytes()).unwrap().parse::<Node>()
        };
        assert!(nested(r#"{"child":"#, "}", 100).is_ok());
        assert!(nested(r#"{"children":["#, "]}", 50).is_ok());
        for refused in [
            nested(r#"{"child":"#, "}", 8_000),
            nested(r#"{"children":["#, "]}", 8_000),
        ] {
            let error = crate::spec::with_causes(&refused.unwrap_err());
            assert!(error.contains("recursion limit exceeded"), "{error}");
        }
    }

    #[test]
    fn wrong_types_are_errors() {
        for bad in [
            r#"{"count":"1"}"#,
            r#"{"ranges":{}}"#,
            r#"{"dns":[]}"#,
            r#"{"isGateway":1}"#,
            "[]",
            "x",
            "{}x",
        ] {
            assert!(from_str::<Outer>(bad).is_err(), "{bad}");
        }
    }
}
