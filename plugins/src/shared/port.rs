//! The host's end of a veth pair as a bridge's port.

use std::thread::sleep;
use std::time::Duration;

use cni_core::spec::{Code, Error, Success};
use cni_net::link::{Link, OperState, Port};
use cni_net::{At, Links, NetError};

use super::{Attachment, SharedError, check, veth};

/// Waits until the host's end carries traffic, which the kernel says a moment after the container's end is up.
///
/// # Errors
/// Code 110 when it does not within seconds, [`NetError::LinkNotFound`] when somebody deletes it meanwhile; else
/// when the kernel refuses.
pub fn wait<N: Links>(net: &N, host: &Link) -> Result<(), Error> {
    const PAUSES: [u64; 9] = [0, 1, 2, 5, 20, 100, 400, 1000, 1000];
    let mut state = OperState::Unknown;
    for pause in PAUSES {
        sleep(Duration::from_millis(pause));
        let name = || host.name.clone();
        let link = net.link(At::Host, &host.name)?;
        state = link.ok_or_else(|| NetError::LinkNotFound { name: name() })?.state;
        if state == OperState::Up {
            return Ok(());
        }
    }
    let msg = format!("bridge port in error state: {:?} is {state:?}", host.name);
    Err(Error::new(Code(110), msg))
}

/// CHECK: that the host's end of `container` is the one of `prev`, a port of `bridge`, with the flags `wanted`.
///
/// It is found by its mark, or, where the reference plugin made it, as the container's peer. Answers it.
///
/// # Errors
/// [`super::SharedError::Differs`]; else when the kernel refuses.
pub fn check<N: Links>(
    net: &N,
    attachment: Attachment<'_>,
    prev: &Success,
    bridge: &Link,
    container: &Link,
    wanted: Port,
) -> Result<Link, Error> {
    let host = match (veth::find(net, attachment)?, container.parent) {
        (Some(link), _) => Some(link),
        (None, Some(index)) => net.link_by_index(At::Host, index)?,
        (None, None) => None,
    };
    let on_host = |link: &Link| {
        let mut on_host = prev.interfaces.iter().filter(|i| i.sandbox.is_empty());
        on_host.find(|i| i.name == link.name)
    };
    let subject = format!("host end of {:?}", container.name);
    let Some((host, expected)) = host.and_then(|link| on_host(&link).map(|i| (link, i))) else {
        let problem = format!("CNI veth created for bridge {} was not found", bridge.name);
        return Err(SharedError::Differs { subject, problem }.into());
    };
    let flags = host
        .port
        .is_none_or(|port| port.hairpin == wanted.hairpin && port.isolated == wanted.isolated);
    let is_port = host.master == Some(bridge.index);
    check::ensure(Some(host.index) == container.parent, &subject, "is not its peer")?;
    check::ensure(check::same_mac(&host, expected), &subject, "has another address")?;
    check::ensure(is_port, &subject, "is no port of the bridge")?;
    check::ensure(flags, &subject, "has other port flags")?;
    Ok(host)
}

#[cfg(test)]
mod tests {
    use cni_core::spec::NetnsPath;
    use cni_net::Namespaces;
    use cni_net::fake::FakeNet;
    use cni_net::link::NewVeth;

    use super::*;

    #[test]
    fn a_host_end_that_does_not_come_up_is_named() {
        let net = FakeNet::new();
        net.add_netns("/ns");
        let pod = net.open(&NetnsPath::new("/ns")).unwrap();
        let new = NewVeth::new(&pod, "eth0".parse().unwrap(), "veth0".parse().unwrap());
        let (host, _) = net.add_veth(&new).unwrap();
        let error = wait(&net, &host).unwrap_err();
        assert_eq!(error.code, Code(110));
        assert!(
            error.msg.starts_with("bridge port in error state: \"veth0\""),
            "{error}"
        );
    }
}
