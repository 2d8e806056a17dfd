//! What of a vxlan device cannot be changed once it is there.

use std::fmt;
use std::net::IpAddr;

use cni_net::link::LinkKind;

use super::config::Settings;

/// The fixed parts of a device, present or wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    vni: u32,
    port: u16,
    group: Option<IpAddr>,
    local: Option<IpAddr>,
}

impl Shape {
    /// The fixed parts of a device as it is and as `settings` want them, if they differ.
    ///
    /// An address to send from counts only where `settings` name one: which one is found without may
    /// change with the routes, and is not worth an interruption.
    pub(super) fn differing(kind: &LinkKind, settings: &Settings) -> Option<(String, String)> {
        let wanted = Self {
            vni: settings.vni.get(),
            port: settings.port,
            group: settings.group,
            local: settings.local,
        };
        let mut present = Self::of(kind);
        if let (Some(present), None) = (&mut present, settings.local) {
            present.local = None;
        }
        let shown = |shape: Option<Self>| shape.map_or_else(|| "another form".to_owned(), |s| s.to_string());
        (present != Some(wanted)).then(|| (shown(present), wanted.to_string()))
    }

    fn of(kind: &LinkKind) -> Option<Self> {
        let LinkKind::Vxlan {
            vni,
            port,
            local,
            group,
            external: false,
        } = *kind
        else {
            return None;
        };
        Some(Self {
            vni,
            port,
            group,
            local,
        })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VNI {}, port {}", self.vni, self.port)?;
        for (what, ip) in [("group", self.group), ("local", self.local)] {
            if let Some(ip) = ip {
                write!(f, ", {what} {ip}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use cni_core::spec::Object;

    use super::super::config::Config;
    use super::*;

    #[track_caller]
    fn differs(config: &str, expected: Option<(&str, &str)>) {
        let config: Config = Object::from_slice(config.as_bytes()).unwrap().parse().unwrap();
        let present = LinkKind::Vxlan {
            vni: 7,
            port: 4789,
            local: Some("192.0.2.1".parse().unwrap()),
            group: None,
            external: false,
        };
        let found = Shape::differing(&present, &Settings::new(&config).unwrap());
        let expected = expected.map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn an_address_to_send_from_counts_only_where_one_is_named() {
        differs(r#"{"vni":7}"#, None);
        differs(r#"{"vni":7,"local":"192.0.2.1"}"#, None);
        differs(
            r#"{"vni":7,"local":"192.0.2.2"}"#,
            Some((
                "VNI 7, port 4789, local 192.0.2.1",
                "VNI 7, port 4789, local 192.0.2.2",
            )),
        );
        differs(
            r#"{"vni":8,"port":9000}"#,
            Some(("VNI 7, port 4789", "VNI 8, port 9000")),
        );
    }
}
