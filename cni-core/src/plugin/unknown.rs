//! Keys of a configuration that nobody reads: worth a line in the log, never an error.

use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use crate::spec::Object;

/// Keys that the skeleton or the specification knows.
const COMMON: &[&str] = &[
    "args",
    "capabilities",
    "cniVersion",
    "dns",
    "ipam",
    "name",
    "prevResult",
    "runtimeConfig",
    "type",
];

/// Logs the keys of `object` that are no field of `C`, if it is this plugin's own configuration.
pub(super) fn log<C: DeserializeOwned>(plugin: &'static str, object: &Object) {
    if tracing::enabled!(tracing::Level::DEBUG) && is_own(plugin, object) {
        for key in keys::<C>(object) {
            tracing::debug!(plugin, key, "unknown key in configuration");
        }
    }
}

/// Whether `object` was written for `plugin`. A delegate gets that of the plugin it works for, whose keys are none
/// of its business, and `type` names that plugin.
fn is_own(plugin: &str, object: &Object) -> bool {
    let kind: Option<String> = object.parse_key("type").ok().flatten();
    kind.is_none_or(|kind| kind == plugin)
}

/// The keys of `object` that are no field of `C`; none when `C` does not say what its fields are.
fn keys<C: DeserializeOwned>(object: &Object) -> Vec<&str> {
    let mut fields = None;
    // It never succeeds: it only learns which fields are asked for.
    drop(C::deserialize(Probe(&mut fields)));
    let Some(fields) = fields else { return Vec::new() };
    let known = |key: &str| {
        let same = |field: &&str| field.eq_ignore_ascii_case(key);
        key.starts_with("cni.dev/") || COMMON.iter().any(same) || fields.iter().any(same)
    };
    object
        .iter()
        .map(|(key, _)| key)
        .filter(|key| !known(key))
        .collect()
}

/// A deserializer that holds nothing and notes the names of the fields of a struct.
struct Probe<'p>(&'p mut Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("holds nothing"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = Some(fields);
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only its field names are looked at")]
    struct Config {
        mtu: u32,
    }

    #[test]
    fn only_keys_that_nobody_knows_are_unknown() {
        let text = br#"{"MTU":1,"name":"a","cni.dev/x":1,"ipam":{},"mut":2}"#;
        let object = Object::from_slice(text).unwrap();
        assert_eq!(keys::<Config>(&object), ["mut"]);
        assert!(keys::<std::collections::BTreeMap<String, u32>>(&object).is_empty());
    }

    #[test]
    fn a_delegate_is_not_asked_what_the_keys_of_another_plugin_mean() {
        for (config, own) in [
            (r#"{"TYPE":"host-local"}"#, true),
            ("{}", true),
            (r#"{"type":"bridge","ipam":{"type":"host-local"}}"#, false),
        ] {
            let object = Object::from_slice(config.as_bytes()).unwrap();
            assert_eq!(is_own("host-local", &object), own, "{config}");
        }
    }
}
