//! Names that the specification restricts, each a type that cannot hold a bad one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name or address that its rule does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} {rule}")]
pub struct NameError {
    what: &'static str,
    value: String,
    rule: &'static str,
}

impl NameError {
    fn new(what: &'static str, value: &str, rule: &'static str) -> Self {
        // A name comes from outside; an absurdly long one must not fill the log.
        let value = value.chars().take(80).collect();
        Self { what, value, rule }
    }
}

/// Declares a string newtype whose only way in is its parser.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                match $check(&text) {
                    None => Ok(Self(text)),
                    Some(rule) => Err(NameError::new($what, &text, rule)),
                }
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            /// In quotes and no more, as messages have it.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A container id: first an alphanumeric, then alphanumerics, `_`, `.`, `-` (specification, section 2).
    ContainerId, "container id", identifier_rule
}

name! {
    /// A network name: the same characters as a container id (specification, section 1).
    NetName, "network name", identifier_rule
}

name! {
    /// An interface name: 1 to 15 bytes, not `.` or `..`, no `/`, `:` or white space (specification, section 2),
    /// and no `%`, which the kernel takes for the place of a number: no interface can have such a name.
    IfName, "interface name", ifname_rule
}

name! {
    /// A plugin's `type`: the name of an executable, so without a path separator (specification, section 1).
    PluginType, "plugin type", type_rule
}

/// A file is named after the whole of it in several places, and file names end at 255 bytes.
const LONGEST_IDENTIFIER: usize = 200;

fn identifier_rule(text: &str) -> Option<&'static str> {
    let mut chars = text.chars();
    let starts_well = chars.next().is_some_and(|c| c.is_ascii_alphanumeric());
    let goes_on_well = chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if !(starts_well && goes_on_well) {
        Some("is not an alphanumeric followed by alphanumerics, '_', '.' or '-'")
    } else if text.len() > LONGEST_IDENTIFIER {
        Some("is longer than 200 bytes")
    } else {
        None
    }
}

fn ifname_rule(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.len() > 15 {
        Some("is longer than 15 bytes")
    } else if text == "." || text == ".." {
        Some("is not allowed")
    } else if text
        .chars()
        .any(|c| matches!(c, '/' | ':' | '%' | '\0') || c.is_whitespace())
    {
        Some("contains '/', ':', '%' or white space")
    } else {
        None
    }
}

fn type_rule(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text == "." || text == ".." || text.contains(['/', '\0']) {
        Some("is not the plain name of an executable")
    } else if text.len() > 255 {
        Some("is longer than 255 bytes")
    } else {
        None
    }
}

/// A 6-byte Ethernet address; it prints in lower case, as the kernel's tools do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

impl FromStr for Mac {
    type Err = NameError;

    /// Reads `aa:bb:cc:dd:ee:ff`, also with `-`, in either case.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let bad = || NameError::new("MAC address", text, "is not six bytes in hexadecimal");
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut bytes = [0; 6];
        let mut parts = text.split(separator);
        for byte in &mut bytes {
            let part = parts
                .next()
                .filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()));
            *byte = part
                .and_then(|p| u8::from_str_radix(p, 16).ok())
                .ok_or_else(bad)?;
        }
        if parts.next().is_some() {
            Err(bad())
        } else {
            Ok(Self(bytes))
        }
    }
}

impl TryFrom<String> for Mac {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_follow_the_specification() {
        for good in ["a", "0", "a_b.c-d", "cnitool-77383ca0a0715733ca6f"] {
            assert!(good.parse::<ContainerId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", ".a", "a/b", "a b", "é", "a\n", "../x"] {
            assert!(bad.parse::<NetName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn interface_names_follow_the_kernel() {
        for good in ["eth0", "a", "fifteen-bytes-x", "Eth_1", "@x"] {
            assert!(good.parse::<IfName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "sixteen-bytes-xx",
            "a/b",
            "a:b",
            "eth%d",
            "a b",
            "a\u{2003}b",
            "a\0b",
        ] {
            assert!(bad.parse::<IfName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn types_are_plain_file_names() {
        assert!("bridge".parse::<PluginType>().is_ok());
        for bad in ["", ".", "..", "../bridge", "a/b", "/bin/sh"] {
            assert!(bad.parse::<PluginType>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mac_prints_in_lower_case() {
        let mac: Mac = "0A:1b:2C:3d:4E:5f".parse().unwrap();
        assert_eq!(mac.to_string(), "0a:1b:2c:3d:4e:5f");
        assert_eq!("0a-1b-2c-3d-4e-5f".parse::<Mac>(), Ok(mac));
        for bad in [
            "",
            "zz",
            "0a:1b:2c:3d:4e",
            "0a:1b:2c:3d:4e:5f:60",
            "+a:1b:2c:3d:4e:5f",
            "0a:1b-2c:3d:4e:5f",
        ] {
            assert!(bad.parse::<Mac>().is_err(), "{bad}");
        }
    }
}
