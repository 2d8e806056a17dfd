//! From bytes to [`Success`] and back, in the version that is asked for.

use serde_json::value::{RawValue, to_raw_value};

use super::written::Out;
use super::{Success, v0_2, v0_4, v1};
use crate::spec::object::Entries;
use crate::spec::{Code, Error, ObjectError, Version};

/// A result that cannot be read, or not be written in the version asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultError {
    /// Not a result of its version.
    #[error("decode result")]
    Decode(#[source] ObjectError),
    /// A value that JSON cannot hold.
    #[error("encode result")]
    Encode(#[source] ObjectError),
    /// 0.1.0 and 0.2.0 have no place for a result without addresses.
    #[error("cannot convert: no valid IP addresses")]
    NoAddress,
    /// The layout is not the one that the configuration's version has.
    #[error("result type supports {expected:?} but unmarshalled CNIVersion is {found:?}")]
    OtherLayout {
        /// The versions that share the layout expected.
        expected: Vec<String>,
        /// The version that the result names.
        found: String,
    },
    /// A version that this crate does not speak.
    #[error("unsupported CNI result version {0:?}")]
    Unsupported(String),
}

impl From<ResultError> for Error {
    fn from(error: ResultError) -> Self {
        let code = match &error {
            ResultError::Decode(_) => Code::DECODING,
            ResultError::Encode(_) => Code::IO,
            ResultError::NoAddress | ResultError::OtherLayout { .. } | ResultError::Unsupported(_) => {
                Code::INCOMPATIBLE_VERSION
            }
        };
        Self::from_source(code, &error)
    }
}

impl Success {
    /// Reads a result as a runtime reads a plugin's answer.
    ///
    /// A result that names no version, or the document `null`, is taken to be of `version`; one that
    /// names another known version is read as what it says. Keys match without regard to case.
    ///
    /// # Errors
    /// When `json` is not a result, or is of a version that this crate does not speak.
    pub fn decode(version: Version, json: &[u8]) -> Result<Self, ResultError> {
        let (object, own) = read(json)?;
        layout(own.unwrap_or(version))?.decode(&object)
    }

    /// Reads a result as a plugin reads `prevResult`: its layout must be that of `version`.
    ///
    /// # Errors
    /// As for [`Success::decode`], and when the result names a version with another layout.
    pub fn decode_strict(version: Version, json: &[u8]) -> Result<Self, ResultError> {
        let (object, own) = read(json)?;
        let expected = layout(version)?;
        match own {
            Some(own) if layout(own)? != expected => Err(ResultError::OtherLayout {
                expected: expected.versions().map(|v| v.to_string()).collect(),
                found: own.to_string(),
            }),
            _ => expected.decode(&object),
        }
    }

    /// Writes the result in the layout of `version`, `cniVersion` included.
    ///
    /// What the layout has no place for is left out: interfaces, and all but the first address of a
    /// family, below 0.3.0; `mtu`, `socketPath` and `pciID` of interfaces below 1.0.0.
    ///
    /// # Errors
    /// When the version is not one that this crate speaks, or is below 0.3.0 and there are
    /// interfaces or routes but no address.
    pub fn encode(&self, version: Version) -> Result<Box<RawValue>, ResultError> {
        let raw = match layout(version)? {
            Layout::V0_2 if v0_2::is_lost(self) => return Err(ResultError::NoAddress),
            Layout::V0_2 => to_raw_value(&v0_2::Out::new(version, self)),
            Layout::V0_4 => to_raw_value(&Out::v0_4(version, self)),
            Layout::V1 => to_raw_value(&Out::v1(version, self)),
        };
        raw.map_err(|e| ResultError::Encode(ObjectError::new("result", e)))
    }
}

/// The generations of the layout.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    V0_2,
    V0_4,
    V1,
}

pub(super) fn layout(version: Version) -> Result<Layout, ResultError> {
    match version {
        Version::V0_1_0 | Version::V0_2_0 => Ok(Layout::V0_2),
        Version::V0_3_0 | Version::V0_3_1 | Version::V0_4_0 => Ok(Layout::V0_4),
        Version::V1_0_0 | Version::V1_1_0 => Ok(Layout::V1),
        other => Err(ResultError::Unsupported(other.to_string())),
    }
}

impl Layout {
    fn versions(self) -> impl Iterator<Item = Version> {
        let has_it = move |v: &Version| layout(*v).is_ok_and(|l| l == self);
        Version::ALL.iter().copied().filter(has_it)
    }

    fn decode(self, object: &Entries<'_>) -> Result<Success, ResultError> {
        let decode = match self {
            Self::V0_2 => v0_2::decode,
            Self::V0_4 => v0_4::decode,
            Self::V1 => v1::decode,
        };
        decode(object).map_err(ResultError::Decode)
    }
}

/// The document and the version that it names, if it names one.
fn read(json: &[u8]) -> Result<(Entries<'_>, Option<Version>), ResultError> {
    // A plugin may answer `null`; the reference's runtime takes that for a result with nothing in it.
    if json.trim_ascii() == b"null" {
        return Ok((Entries::default(), None));
    }
    let object = Entries::from_slice(json).map_err(ResultError::Decode)?;
    let own: Option<String> = object.parse_key("cniVersion").map_err(ResultError::Decode)?;
    match own.filter(|text| !text.is_empty()) {
        None => Ok((object, None)),
        Some(text) => match text.parse() {
            Ok(version) => Ok((object, Some(version))),
            Err(_) => Err(ResultError::Unsupported(text.chars().take(80).collect())),
        },
    }
}
