//! Who is put through the suite.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::spec::Success;

/// An executable, and what it needs for an attachment.
///
/// ```no_run
/// use cni_core::testkit::{Subject, conformance};
///
/// let bridge = Subject::new("/opt/cni/bin/bridge")
///     .with_config(r#"{ "bridge": "test0", "ipam": { "type": "host-local", "subnet": "10.9.0.0/24" } }"#)
///     .with_netns("/run/netns/test");
/// conformance(bridge).assert();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Subject {
    pub(super) path: PathBuf,
    pub(super) config: Map<String, Value>,
    pub(super) ifname: String,
    pub(super) netns: Option<PathBuf>,
    pub(super) prev: Option<Success>,
    lenient: BTreeSet<Leniency>,
}

/// Where plugins are known to differ, and runtimes live with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Leniency {
    /// CHECK succeeds after DEL, too: the plugin makes nothing, or only what goes away with the interface.
    CheckAfterDel,
    /// Error objects have no `cniVersion`.
    ErrorWithoutVersion,
    /// Results have the layout of 1.0.0 in every version.
    LatestLayout,
    /// VERSION answers in a version of its own instead of the question's.
    OwnVersion,
}

impl Leniency {
    /// What every plugin that is built on the reference's skeleton (1.3 and before) needs.
    pub const REFERENCE: [Self; 2] = [Self::ErrorWithoutVersion, Self::OwnVersion];
}

impl Subject {
    /// The executable at `path`, with an empty configuration. Delegates are looked for beside it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            config: Map::new(),
            ifname: "eth0".to_owned(),
            netns: None,
            prev: None,
            lenient: BTreeSet::new(),
        }
    }

    /// The same with a configuration that it takes; `type` and `cniVersion` are put in, and `name` if it has
    /// none. GC and DEL are sent for that network: name none that is in use.
    ///
    /// # Panics
    /// When it is no JSON object.
    pub fn with_config(mut self, json: &str) -> Self {
        self.config = serde_json::from_str(json).unwrap_or_else(|error| panic!("configuration: {error}"));
        self
    }

    /// The same with another `CNI_IFNAME` than `eth0`.
    pub fn with_ifname(mut self, ifname: &str) -> Self {
        ifname.clone_into(&mut self.ifname);
        self
    }

    /// The same with a namespace to make attachments in. It should be the test's own.
    pub fn with_netns(mut self, path: impl Into<PathBuf>) -> Self {
        self.netns = Some(path.into());
        self
    }

    /// The same for a plugin that is run after others, whose result this is. Versions 0.1.0 and 0.2.0 are
    /// tried only if there is an address in it.
    pub fn with_prev(mut self, prev: Success) -> Self {
        self.prev = Some(prev);
        self
    }

    /// The same with more that is let pass.
    pub fn lenient(mut self, leniencies: impl IntoIterator<Item = Leniency>) -> Self {
        self.lenient.extend(leniencies);
        self
    }

    pub(super) fn allows(&self, leniency: Leniency) -> bool {
        self.lenient.contains(&leniency)
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for Subject {
    fn from(path: &P) -> Self {
        Self::new(path.as_ref())
    }
}
