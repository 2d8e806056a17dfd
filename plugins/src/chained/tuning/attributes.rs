//! The attributes of an interface that the plugin changes.

use cni_core::spec::{IfName, Mac, Success};
use cni_net::Mtu;
use cni_net::link::{Change, Link};
use serde::{Deserialize, Serialize};

/// Some attributes of an interface: those that are to be set, or the values from before.
///
/// Its JSON is what the reference keeps in its files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mac: Option<Mac>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) promisc: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mtu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allmulti: Option<bool>,
    #[serde(rename = "txQLen", skip_serializing_if = "Option::is_none")]
    pub(super) tx_q_len: Option<u32>,
}

impl Attributes {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What `link` has for each attribute that is set here.
    pub(super) fn of(&self, link: &Link) -> Self {
        Self {
            mac: self.mac.and(link.mac),
            promisc: self.promisc.map(|_| link.promisc),
            mtu: self.mtu.map(|_| link.mtu),
            allmulti: self.allmulti.map(|_| link.allmulti),
            tx_q_len: self.tx_q_len.map(|_| link.txqlen),
        }
    }

    /// These, and those of `others` that are not among them.
    pub(super) fn or(self, others: Self) -> Self {
        Self {
            mac: self.mac.or(others.mac),
            promisc: self.promisc.or(others.promisc),
            mtu: self.mtu.or(others.mtu),
            allmulti: self.allmulti.or(others.allmulti),
            tx_q_len: self.tx_q_len.or(others.tx_q_len),
        }
    }

    /// One change for each, with what it is about: an error then names the one that the kernel refused.
    pub(super) fn changes(&self) -> Vec<(String, Change)> {
        // Only `lo` has a larger MTU, and it keeps what it got.
        let mtu = self.mtu.and_then(|mtu| Mtu::try_from(mtu).ok());
        let with = |set: &dyn Fn(&mut Change)| {
            let mut change = Change::default();
            set(&mut change);
            change
        };
        let changes = [
            self.mac
                .map(|mac| (format!("mac {mac}"), with(&|change| change.mac = Some(mac)))),
            self.promisc
                .map(|on| (format!("promisc {on}"), with(&|change| change.promisc = Some(on)))),
            mtu.map(|mtu| {
                let what = format!("mtu {}", mtu.get());
                (what, with(&|change| change.mtu = Some(mtu)))
            }),
            self.allmulti.map(|on| {
                (
                    format!("allmulti {on}"),
                    with(&|change| change.allmulti = Some(on)),
                )
            }),
            self.tx_q_len
                .map(|n| (format!("txQLen {n}"), with(&|change| change.txqlen = Some(n)))),
        ];
        changes.into_iter().flatten().collect()
    }

    /// The first attribute that `link` has otherwise, in words.
    pub(super) fn difference(&self, link: &Link) -> Option<String> {
        let (wanted, there) = (self.words(), self.of(link).words());
        let (wanted, there) = wanted.into_iter().zip(there).find(|(w, t)| w != t)?;
        Some(format!("has {there}, not {wanted}"))
    }

    fn words(&self) -> [String; 5] {
        fn word(what: &str, value: Option<impl ToString>) -> String {
            let value = value.map_or_else(|| "none".to_owned(), |value| value.to_string());
            format!("{what} {value}")
        }
        [
            word("mac", self.mac),
            word("promisc", self.promisc),
            word("mtu", self.mtu),
            word("allmulti", self.allmulti),
            word("txQLen", self.tx_q_len),
        ]
    }

    /// Puts what a result can say into it, for the container's interface alone: one of the host may have the
    /// same name.
    pub(super) fn report(&self, success: &mut Success, ifname: &IfName) {
        let mut interfaces = success.interfaces.iter_mut();
        let container = interfaces.find(|i| i.name == ifname.as_str() && !i.sandbox.is_empty());
        let Some(interface) = container else { return };
        if let Some(mac) = self.mac {
            interface.mac = mac.to_string();
        }
        interface.mtu = self.mtu.or(interface.mtu);
    }
}
