//! How we recognise what we made: the alias of a link.

use std::collections::BTreeSet;

use cni_core::spec::{AttachmentId, IfName, NetName, ValidAttachment};
use cni_net::link::{Link, LinkKind};

/// The longest alias that the kernel takes, in bytes (`IFALIASZ` less its end).
const LONGEST: usize = 255;

/// What every mark begins with.
const PREFIX: &str = "plexus:";

/// How many names the host end of a veth pair may have, should others have the first ones.
const HOST_NAMES: u8 = 4;

/// An attachment: an interface of a container in a network.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "these three are what an attachment is")]
pub struct Attachment<'a> {
    /// The network.
    pub network: &'a NetName,
    /// Container and interface.
    pub id: &'a AttachmentId,
}

impl<'a> Attachment<'a> {
    /// The interface `id` in `network`.
    pub fn new(network: &'a NetName, id: &'a AttachmentId) -> Self {
        Self { network, id }
    }

    /// The alias of the links that belong to it: `plexus:<network>/<container>/<ifname>`.
    ///
    /// Where that is too long for an alias, the container's place is taken by `#` and a hash of its id;
    /// no container id begins so.
    pub fn mark(&self) -> String {
        let prefix = network_prefix(self.network);
        let AttachmentId { container, ifname } = self.id;
        let whole = format!("{prefix}{container}/{ifname}");
        if whole.len() <= LONGEST {
            return whole;
        }
        format!("{prefix}#{:016x}/{ifname}", hash(container.as_str().as_bytes()))
    }

    /// Whether `link` bears its mark.
    pub fn owns(&self, link: &Link) -> bool {
        link.alias.as_deref() == Some(&self.mark())
    }

    /// Whether `link` bears the mark of another attachment.
    pub fn is_anothers(&self, link: &Link) -> bool {
        let alias = link.alias.as_deref().unwrap_or_default();
        alias.starts_with(PREFIX) && !self.owns(link)
    }

    /// The names that the host end of its veth pair may have, the usual one first.
    pub fn host_names(&self) -> impl Iterator<Item = IfName> + use<> {
        let key = format!("{}/{}/{}", self.network, self.id.container, self.id.ifname);
        (0..HOST_NAMES).filter_map(move |attempt| {
            let wide = match attempt {
                0 => hash(key.as_bytes()),
                _ => hash(format!("{key}/{attempt}").as_bytes()),
            };
            let folded = (wide ^ (wide >> 32)) & 0xffff_ffff;
            format!("veth{folded:08x}").parse().ok()
        })
    }
}

/// The host ends among `links` that belong to `network`, and to no attachment in `valid`; those that have not got
/// their alias any more, because the ADD was killed, as well.
pub fn orphans(mut links: Vec<Link>, network: &NetName, valid: &BTreeSet<ValidAttachment>) -> Vec<Link> {
    let prefix = network_prefix(network);
    let id = |v: &ValidAttachment| AttachmentId::new(v.container.clone(), v.ifname.clone());
    let (mut kept, mut being_made) = (BTreeSet::new(), BTreeSet::new());
    for id in valid.iter().map(id) {
        let attachment = Attachment::new(network, &id);
        kept.insert(attachment.mark());
        being_made.extend(attachment.host_names().map(|name| name.to_string()));
    }
    links.retain(|link| {
        let alias = link.alias.as_deref().unwrap_or_default();
        let is_marked = link.kind == LinkKind::Veth && alias.starts_with(&prefix) && !kept.contains(alias);
        is_marked || is_unfinished(link, network) && !being_made.contains(&link.name)
    });
    links
}

/// The group number of a host end of `network` from its birth until it has its alias.
pub fn birth_group(network: &NetName) -> u32 {
    let [.., a, b, c] = hash(network.as_str().as_bytes()).to_be_bytes();
    u32::from_be_bytes([b'p', a, b, c])
}

/// Whether `link` is a host end of `network` whose ADD was killed before it could set the alias.
pub(super) fn is_unfinished(link: &Link, network: &NetName) -> bool {
    link.alias.is_none() && link.group == birth_group(network) && link.kind == LinkKind::Veth
}

fn network_prefix(network: &NetName) -> String {
    format!("{PREFIX}{network}/")
}

/// FNV-1a, 64 bits: short, the same on every machine, and nobody's safety hangs on it, since a link's
/// alias and not its name says whose it is.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |state, byte| {
        (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(container: &str, ifname: &str) -> AttachmentId {
        AttachmentId::new(container.parse().unwrap(), ifname.parse().unwrap())
    }

    #[test]
    fn a_mark_fits_an_alias_and_tells_attachments_apart() {
        let network: NetName = "n".repeat(200).parse().unwrap();
        let one = id(&format!("{}1", "c".repeat(199)), "eth0");
        let two = id(&format!("{}2", "c".repeat(199)), "eth0");
        let (one, two) = (Attachment::new(&network, &one), Attachment::new(&network, &two));
        assert!(one.mark().len() <= LONGEST);
        assert_ne!(one.mark(), two.mark());

        let network: NetName = "blue".parse().unwrap();
        let short = id("c1", "net1");
        assert_eq!(Attachment::new(&network, &short).mark(), "plexus:blue/c1/net1");
    }

    #[test]
    fn host_names_are_the_same_on_every_machine() {
        let network: NetName = "blue".parse().unwrap();
        let id = id("c1", "net1");
        let names: Vec<String> = Attachment::new(&network, &id)
            .host_names()
            .map(String::from)
            .collect();
        assert_eq!(names.len(), usize::from(HOST_NAMES));
        assert!(
            names
                .iter()
                .all(|name| name.len() == 12 && name.starts_with("veth"))
        );
        let distinct: BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
