//! Names of Kubernetes objects (RFC 1123).

use std::fmt;
use std::str::FromStr;

use cni_core::spec::ContainerId;
use serde::{Deserialize, Serialize};

/// A name that Kubernetes does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} {rule}")]
pub struct DnsError {
    what: &'static str,
    value: String,
    rule: &'static str,
}

/// Declares a string newtype whose only way in is its parser.
macro_rules! dns_name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = DnsError;
            fn from_str(text: &str) -> Result<Self, DnsError> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = DnsError;
            fn try_from(text: String) -> Result<Self, DnsError> {
                match $rule(&text) {
                    None => Ok(Self(text)),
                    Some(rule) => Err(DnsError {
                        what: $what,
                        value: text.chars().take(80).collect(),
                        rule,
                    }),
                }
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

dns_name! {
    /// A namespace: one DNS label of at most 63 characters.
    Namespace, "namespace", label_rule
}

dns_name! {
    /// The name of a NetworkAttachmentDefinition. The specification asks for one DNS label; the API
    /// server also lets labels with dots between through, so these are taken too.
    NadName, "network name", subdomain_rule
}

dns_name! {
    /// The name of a pod.
    PodName, "pod name", subdomain_rule
}

dns_name! {
    /// The name of an IPAMClaim.
    ClaimName, "IPAM claim", subdomain_rule
}

impl From<&ContainerId> for PodName {
    /// The pod that a container stands for where the runtime knows none: called as the container is, or `pod`
    /// where no pod can be called so.
    fn from(container: &ContainerId) -> Self {
        let name = container.as_str().to_ascii_lowercase().parse();
        name.unwrap_or_else(|_: DnsError| Self("pod".to_owned()))
    }
}

impl Default for Namespace {
    /// `default`: where an object is that names no namespace.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

fn label_rule(text: &str) -> Option<&'static str> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() {
        Some("is empty")
    } else if text.len() > 63 {
        Some("has more than 63 characters between dots")
    } else if !text.bytes().all(inner) || text.starts_with('-') || text.ends_with('-') {
        Some("is not lower case letters, digits and inner '-'")
    } else {
        None
    }
}

fn subdomain_rule(text: &str) -> Option<&'static str> {
    if text.len() > 253 {
        Some("is longer than 253 characters")
    } else if text.contains('.') && text.split('.').any(str::is_empty) {
        Some("has nothing before, behind or between dots")
    } else {
        text.split('.').find_map(label_rule)
    }
}

/// Which NetworkAttachmentDefinition: `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NadRef {
    /// Its namespace.
    pub namespace: Namespace,
    /// Its name there.
    pub name: NadName,
}

impl fmt::Display for NadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_rfc_1123() {
        for good in ["a", "0", "net-a", "a--b", "1a", &"a".repeat(63)] {
            assert!(good.parse::<Namespace>().is_ok(), "{good}");
            assert!(good.parse::<NadName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a_b",
            "a b",
            "a/b",
            "é",
            "a..b",
            ".a",
            "a.",
            &"a".repeat(64),
        ] {
            assert!(bad.parse::<Namespace>().is_err(), "{bad}");
            assert!(bad.parse::<NadName>().is_err(), "{bad}");
        }
        assert!("a.b-c.d".parse::<NadName>().is_ok());
        assert!("a.b".parse::<Namespace>().is_err());
    }
}
