//! The hardware address that a request asks for, in one of several places.

use cni_core::spec::Mac;
use serde::Deserialize;

use super::SharedError;

/// The key `args` of a configuration, as far as it tells of a hardware address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Args {
    /// The key `args.cni`.
    pub cni: Asked,
}

/// An object that may ask for a hardware address: `args.cni`, `runtimeConfig`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Asked {
    /// The address; an empty one asks for nothing.
    pub mac: String,
}

/// The last address of `places` that asks for one, each a place's name and what it says.
///
/// # Errors
/// When any of them is no address that an interface can have.
pub fn choose(places: &[(&'static str, &str)]) -> Result<Option<Mac>, SharedError> {
    let mut chosen = None;
    for &(origin, text) in places {
        if !text.is_empty() {
            chosen = Some(parse(origin, text)?);
        }
    }
    Ok(chosen)
}

fn parse(origin: &'static str, text: &str) -> Result<Mac, SharedError> {
    let mac: Mac = text
        .parse()
        .map_err(|source| SharedError::Mac { origin, source })?;
    let Mac([first, ..]) = mac;
    if first & 1 == 1 || mac == Mac([0; 6]) {
        let mac = mac.to_string();
        return Err(SharedError::MacKind { origin, mac });
    }
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn chosen(texts: [&str; 3], expected: Result<Option<&str>, &str>) {
        let places: Vec<_> = ["CNI_ARGS", "args.cni", "runtimeConfig"]
            .into_iter()
            .zip(texts)
            .collect();
        let found = choose(&places).map(|mac| mac.map(|mac| mac.to_string()));
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.as_deref(), expected),
            (Err(error), Err(place)) => assert!(error.to_string().contains(place), "{error}"),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_later_place_outweighs_the_earlier() {
        chosen(["", "", ""], Ok(None));
        chosen(["02:00:00:00:00:01", "", ""], Ok(Some("02:00:00:00:00:01")));
        chosen(
            ["02:00:00:00:00:01", "02:00:00:00:00:02", ""],
            Ok(Some("02:00:00:00:00:02")),
        );
        chosen(
            ["02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:0A"],
            Ok(Some("02:00:00:00:00:0a")),
        );
    }

    #[test]
    fn what_no_interface_can_have_is_refused() {
        chosen(["zz", "", "02:00:00:00:00:01"], Err("CNI_ARGS"));
        chosen(["", "01:00:5e:00:00:01", ""], Err("no address of one interface"));
        chosen(["", "", "00:00:00:00:00:00"], Err("runtimeConfig"));
    }
}
