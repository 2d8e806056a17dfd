//! A chained plugin that gives the container's interface an alias.

use std::process::ExitCode;

use cni_core::plugin::{self, Add, Check, Del, Plugin};
use cni_core::spec::{Code, Error, Success};
use cni_net::link::Change;
use cni_net::{At, Kernel, Links, Namespaces};

/// `N` is the kernel, and in tests one made of values.
struct Label<N> {
    net: N,
}

#[derive(serde::Deserialize)]
struct Config {
    alias: String,
}

impl<N: Links + Namespaces + Send + Sync> Plugin for Label<N> {
    type Config = Config;
    const NAME: &'static str = "label";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        let no_prev = || Error::new(Code::INVALID_CONFIG, "label an interface: no plugin ran before");
        let prev = request.prev.ok_or_else(no_prev)?;
        let netns = self.net.open(&request.netns)?;
        let mut change = Change::default();
        change.alias = Some(request.config.alias);
        self.net
            .set_link(At::Netns(&netns), request.id.ifname.as_str(), &change)?;
        Ok(prev)
    }

    /// The alias goes with the interface.
    fn del(&self, _: Del<'_, Config>) -> Result<(), Error> {
        Ok(())
    }

    fn check(&self, request: Check<'_, Config>) -> Result<(), Error> {
        let netns = self.net.open(&request.netns)?;
        let link = self.net.link(At::Netns(&netns), request.id.ifname.as_str())?;
        match link.and_then(|link| link.alias) {
            Some(alias) if alias == request.config.alias => Ok(()),
            other => Err(Error::new(Code(100), format!("check the alias: it is {other:?}"))),
        }
    }
}

fn main() -> ExitCode {
    plugin::run(&Label { net: Kernel::new() })
}

#[cfg(test)]
mod tests {
    use cni_core::testkit::{Invocation, Outcome};
    use cni_net::fake::FakeNet;

    use super::*;

    #[test]
    fn the_interface_gets_the_alias() {
        let net = FakeNet::new();
        let netns = net.add_netns("/ns");
        let call = |verb: &str| -> Outcome {
            let config = r#"{ "cniVersion": "1.1.0", "name": "n", "alias": "blue" }"#;
            let call = Invocation::new(verb).with_env("CNI_NETNS", "/ns");
            let call = call.with_env("CNI_IFNAME", "lo").with_prev(Success::new());
            call.run(&Label { net: net.clone() }, config)
        };
        assert_eq!(call("CHECK").done().unwrap_err().code, Code(100));
        assert_eq!(call("ADD").result().unwrap(), Success::new());
        let link = net.link(At::Netns(&netns), "lo").unwrap().unwrap();
        assert_eq!(link.alias.as_deref(), Some("blue"));
        call("CHECK").done().unwrap();
        call("DEL").done().unwrap();
    }
}
