//! A document of the table.

/// One document, and what is asked about it.
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The version of the configuration, for a result.
    pub(crate) version: String,
    /// The versions that a result is wanted in; one empty text for the other kinds.
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
}

/// How a document is read and written again; the names are those of the program in Go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Args,
    Conf,
    Container,
    Error,
    Ifname,
    List,
    Network,
    Prev,
    Result,
}

impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let all = [
            Self::Args,
            Self::Conf,
            Self::Container,
            Self::Error,
            Self::Ifname,
            Self::List,
            Self::Network,
            Self::Prev,
            Self::Result,
        ];
        let named = all.into_iter().find(|kind| format!("{kind:?}") == text);
        named.ok_or_else(|| format!("no kind {text:?}"))
    }
}

impl Document {
    pub(crate) fn new(kind: Kind, name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: format!("{kind:?} {}", name.into()),
            kind,
            version: String::new(),
            to: vec![String::new()],
            text: text.into(),
        }
    }

    /// A result read in a configuration's `version`, wanted in all versions `to`.
    pub(crate) fn result(
        version: &str,
        to: &[&str],
        name: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            version: version.to_owned(),
            to: to.iter().map(|to| (*to).to_owned()).collect(),
            ..Self::new(Kind::Result, name, text)
        }
    }
}

/// The lines of a table of names and documents.
pub(crate) fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let cell = |line: &'static str| {
        line.split_once('|')
            .unwrap_or_else(|| panic!("not two cells: {line}"))
    };
    rows.map(cell).map(|(name, text)| (name.trim(), text.trim()))
}
