//! The configuration, decoded and checked.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use cni_core::plugin::Env;
use cni_core::spec::{Object, Route};
use serde::Deserialize;

use super::range::{RangeConf, RangeSet, overlapping};
use crate::ipam::conf::{self, ConfError, Config, RouteConf};

/// Where the files are unless the configuration says otherwise; the reference's place.
const DATA_DIR: &str = "/var/lib/cni/networks";

/// What a configuration asks for.
#[derive(Debug)]
pub(super) struct Settings {
    /// The sets of ranges; each gives one address.
    pub(super) sets: Vec<RangeSet>,
    /// The routes of the result.
    pub(super) routes: Vec<Route>,
    /// Addresses to hand out if they are free, in place of any.
    pub(super) requested: Vec<IpAddr>,
    /// The file that the result's `dns` is read from.
    pub(super) resolv_conf: Option<PathBuf>,
}

/// The keys of `ipam`, but for those of the one range that may stand there without a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Keys {
    ranges: Option<Vec<Vec<RangeConf>>>,
    routes: Option<Vec<RouteConf>>,
    resolv_conf: Option<String>,
}

impl Settings {
    /// Reads and checks everything that ADD needs.
    pub(super) fn parse(config: &Config, env: &Env<'_>) -> Result<Self, ConfError> {
        let ipam = config.ipam()?;
        let keys: Keys = ipam.parse()?;
        let mut all: Vec<Vec<RangeConf>> = config.runtime("ipRanges")?.unwrap_or_default();
        let single: RangeConf = ipam.parse()?;
        all.extend(single.subnet.is_some().then(|| vec![single]));
        all.extend(keys.ranges.unwrap_or_default());
        let sets = sets(&all)?;
        conf::one_of_a_family(env.version, sets.iter().map(RangeSet::sample))?;
        Ok(Self {
            sets,
            routes: conf::routes(keys.routes.unwrap_or_default())?,
            requested: requested(config, env)?,
            resolv_conf: keys
                .resolv_conf
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
        })
    }
}

/// The network's directory. Its name is one path component by its type, so that nothing outside
/// the data directory can be meant.
pub(super) fn directory(config: &Config, env: &Env<'_>) -> Result<PathBuf, ConfError> {
    let given = config.ipam()?;
    let given: Option<String> = Object::parse_key(given, "dataDir")?;
    let base = given.filter(|dir| !dir.is_empty());
    Ok(Path::new(base.as_deref().unwrap_or(DATA_DIR)).join(env.network.as_str()))
}

fn sets(confs: &[Vec<RangeConf>]) -> Result<Vec<RangeSet>, ConfError> {
    if confs.is_empty() {
        return Err(ConfError::Rule("no IP ranges specified".to_owned()));
    }
    let parse = |(at, conf): (usize, &Vec<RangeConf>)| RangeSet::parse(conf).map_err(|e| invalid(at, &e));
    let sets = confs
        .iter()
        .enumerate()
        .map(parse)
        .collect::<Result<Vec<_>, _>>()?;
    let numbered = sets.iter().enumerate();
    let ranges = numbered.flat_map(|(at, set)| set.ranges().map(move |range| (range, at)));
    match overlapping(ranges) {
        Some([(_, a), (_, b)]) => {
            let (first, second) = (a.min(b), a.max(b));
            Err(ConfError::Rule(format!(
                "range set {first} overlaps with {second}"
            )))
        }
        None => Ok(sets),
    }
}

fn invalid(set: usize, error: &ConfError) -> ConfError {
    ConfError::Rule(format!("invalid range set {set}: {error}"))
}

/// The requested addresses of all three places, a prefix length ignored.
fn requested(config: &Config, env: &Env<'_>) -> Result<Vec<IpAddr>, ConfError> {
    // `MAC` is for the plugin that delegates to this one and receives the same variables.
    let requested = config.requested(env, &["IP", "MAC"])?;
    let texts = requested
        .env
        .into_iter()
        .chain(requested.args)
        .chain(requested.runtime);
    let (mut all, mut known) = (Vec::new(), BTreeSet::new());
    for text in texts {
        let ip = conf::address("requested IP", text.split('/').next().unwrap_or_default())?;
        if known.insert(ip) {
            all.push(ip);
        }
    }
    Ok(all)
}
