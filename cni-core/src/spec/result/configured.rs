//! Addresses and routes of configurations: laid out as in the newest results.

use serde::de::{Deserialize, Deserializer, Error};

use super::{IpConfig, Route, parts, v1};
use crate::spec::object::Entries;
use crate::spec::{Object, with_causes};

/// As in a result of 1.1.0: `{ "address": "10.0.0.5/24", "gateway": "10.0.0.1" }`.
impl<'de> Deserialize<'de> for IpConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Object::deserialize(deserializer)?;
        parts::read_ip(&Entries::from(&object), v1::IP_KEYS)
            .map_err(|error| D::Error::custom(with_causes(&error)))
    }
}

/// As in a result of 1.1.0: `{ "dst": "10.1.0.0/16", "gw": "10.0.0.1" }`.
impl<'de> Deserialize<'de> for Route {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Object::deserialize(deserializer)?;
        parts::read_route(&Entries::from(&object)).map_err(|error| D::Error::custom(with_causes(&error)))
    }
}
