//! Versions of the specification, compared as numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Object, ObjectError};

/// A version of the specification, `major.minor.patch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

/// A version that is not three numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {0:?} is not three numbers with dots between")]
pub struct VersionError(String);

impl Version {
    /// 0.1.0, which an absent or empty `cniVersion` stands for.
    pub const V0_1_0: Self = Self::new(0, 1, 0);
    /// 0.2.0, the last with `ip4` and `ip6`.
    pub const V0_2_0: Self = Self::new(0, 2, 0);
    /// 0.3.0, the first with lists of interfaces and addresses.
    pub const V0_3_0: Self = Self::new(0, 3, 0);
    /// 0.3.1.
    pub const V0_3_1: Self = Self::new(0, 3, 1);
    /// 0.4.0, the first with CHECK and with `prevResult` at DEL.
    pub const V0_4_0: Self = Self::new(0, 4, 0);
    /// 1.0.0, the first without `ips[].version`.
    pub const V1_0_0: Self = Self::new(1, 0, 0);
    /// 1.1.0, the first with GC and STATUS.
    pub const V1_1_0: Self = Self::new(1, 1, 0);

    /// Every version that this crate speaks, lowest first.
    pub const ALL: &'static [Self] = &[
        Self::V0_1_0,
        Self::V0_2_0,
        Self::V0_3_0,
        Self::V0_3_1,
        Self::V0_4_0,
        Self::V1_0_0,
        Self::V1_1_0,
    ];

    /// A version from its numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }
}

impl FromStr for Version {
    type Err = VersionError;

    /// Reads exactly three numbers: neither `1.0` nor `01.0.0` is `1.0.0`. Empty text stands for 0.1.0.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text.is_empty() {
            return Ok(Self::V0_1_0);
        }
        let bad = || VersionError(text.chars().take(80).collect());
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if digits && (part == "0" || !part.starts_with('0')) {
                part.parse().map_err(|_| bad())
            } else {
                Err(bad())
            }
        };
        match text.split('.').collect::<Vec<_>>()[..] {
            [a, b, c] => Ok(Self::new(number(a)?, number(b)?, number(c)?)),
            _ => Err(bad()),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;
    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What a plugin answers to VERSION (specification, section 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VersionInfo {
    /// The version of this answer.
    pub cni_version: Version,
    /// Every version that the plugin takes.
    pub supported_versions: Vec<Version>,
}

impl VersionInfo {
    /// The answer of a plugin that takes `supported`.
    pub fn new(cni_version: Version, supported: &[Version]) -> Self {
        Self {
            cni_version,
            supported_versions: supported.to_vec(),
        }
    }

    /// Reads what a plugin answered. One of 0.2.0, which has the verb, need not list anything; what is listed and
    /// is no version is not one that anybody could ask for.
    ///
    /// # Errors
    /// When `json` is not an object, `cniVersion` no version, or `supportedVersions` no list of texts.
    pub fn decode(json: &[u8]) -> Result<Self, ObjectError> {
        let answer = Object::from_slice(json)?;
        let version = answer.parse_key("cniVersion")?.unwrap_or(Version::V0_1_0);
        let listed: Option<Vec<String>> = answer.parse_key("supportedVersions")?;
        let supported = match listed {
            Some(listed) => listed.iter().filter_map(|text| text.parse().ok()).collect(),
            None => vec![Version::V0_1_0, Version::V0_2_0],
        };
        Ok(Self::new(version, &supported))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!("0.10.0".parse::<Version>().unwrap() > Version::V0_4_0);
        assert!(Version::ALL.is_sorted());
    }

    #[test]
    fn only_three_numbers_are_a_version() {
        assert_eq!("".parse(), Ok(Version::V0_1_0));
        for bad in [
            "1.0",
            "1.0.0.0",
            "v1.0.0",
            "1.0.x",
            "1..0",
            "+1.0.0",
            "1.0.99999999999",
            "01.0.0",
            "1.00.0",
        ] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
