//! `CNI_ARGS`: `KEY=value` pairs with semicolons between.

use std::fmt;
use std::str::FromStr;

use super::{Code, Error};

/// The pairs of `CNI_ARGS`, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CniArgs(Vec<(String, String)>);

/// `CNI_ARGS` that is not pairs, or holds a key that the plugin does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CniArgsError {
    /// A part that is not a key and a value, or `IgnoreUnknown` with a value that is no bool.
    #[error("CNI_ARGS: invalid pair {0:?}")]
    Pair(String),
    /// Keys that the plugin does not know, without `IgnoreUnknown=1` among them.
    #[error("CNI_ARGS: unknown args {0:?}")]
    Unknown(Vec<String>),
}

impl CniArgs {
    /// The value of `key`, matched with its case; of several the last.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .rfind(|(k, _)| k == key)
            .map(|(_, value)| value.as_str())
    }

    /// Puts `value` at `key`: in place of what was there, else at the end.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        match self.0.iter_mut().rfind(|(k, _)| k == key) {
            Some((_, old)) => *old = value.into(),
            None => self.0.push((key.to_owned(), value.into())),
        }
    }

    /// The pairs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses keys outside `known`, unless `IgnoreUnknown` is `1` or `true`, in any case.
    ///
    /// # Errors
    /// [`CniArgsError::Unknown`] with all of them; [`CniArgsError::Pair`] when `IgnoreUnknown` is neither of
    /// these, nor `0` or `false`.
    pub fn only(&self, known: &[&str]) -> Result<(), CniArgsError> {
        if self.ignore_unknown()? {
            return Ok(());
        }
        let foreign = |key: &&str| *key != "IgnoreUnknown" && !known.contains(key);
        let unknown: Vec<String> = self
            .iter()
            .map(|(key, _)| key)
            .filter(foreign)
            .map(str::to_owned)
            .collect();
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(CniArgsError::Unknown(unknown))
        }
    }

    fn ignore_unknown(&self) -> Result<bool, CniArgsError> {
        let mut ignore = false;
        for (_, value) in self.iter().filter(|(key, _)| *key == "IgnoreUnknown") {
            ignore = match value.to_ascii_lowercase().as_str() {
                "1" | "true" => true,
                "0" | "false" => false,
                _ => return Err(CniArgsError::pair(&format!("IgnoreUnknown={value}"))),
            };
        }
        Ok(ignore)
    }
}

impl From<CniArgsError> for Error {
    fn from(error: CniArgsError) -> Self {
        Self::from_source(Code::INVALID_ENVIRONMENT, &error)
    }
}

impl CniArgsError {
    /// An absurdly long part must not fill the log.
    fn pair(part: &str) -> Self {
        Self::Pair(part.chars().take(80).collect())
    }
}

impl FromStr for CniArgs {
    type Err = CniArgsError;

    /// Splits at `;`, then at the first `=`, so that a value may hold `=`; an empty part is passed over.
    fn from_str(text: &str) -> Result<Self, CniArgsError> {
        let pair = |part: &str| match part.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(CniArgsError::pair(part)),
        };
        text.split(';')
            .filter(|part| !part.is_empty())
            .map(pair)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for CniArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (key, value)) in self.iter().enumerate() {
            let separator = if at == 0 { "" } else { ";" };
            write!(f, "{separator}{key}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_round_trip() {
        let text = "IgnoreUnknown=1;K8S_POD_NAME=a;X=b=c";
        let args: CniArgs = text.parse().unwrap();
        assert_eq!(args.get("X"), Some("b=c"));
        assert_eq!(args.to_string(), text);
        assert_eq!("a=1;;b=2;".parse::<CniArgs>().unwrap().to_string(), "a=1;b=2");
        assert!("".parse::<CniArgs>().unwrap().is_empty());
    }

    #[test]
    fn a_part_without_a_value_is_refused() {
        for bad in ["a", "=b", "a=1;b"] {
            assert!(
                matches!(bad.parse::<CniArgs>(), Err(CniArgsError::Pair(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn unknown_keys_are_refused_unless_they_are_to_be_ignored() {
        let args: CniArgs = "MAC=x;FOO=y".parse().unwrap();
        assert_eq!(
            args.only(&["MAC"]),
            Err(CniArgsError::Unknown(vec!["FOO".to_owned()]))
        );
        let mut args = args;
        args.set("IgnoreUnknown", "tRue");
        assert_eq!(args.only(&["MAC"]), Ok(()));
        args.set("IgnoreUnknown", "yes");
        let refused = CniArgsError::Pair("IgnoreUnknown=yes".to_owned());
        assert_eq!(args.only(&["MAC", "FOO"]), Err(refused));
    }
}
