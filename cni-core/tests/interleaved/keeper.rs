//! A plugin whose state can be looked at, and the failures that are planned for it.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cni_core::plugin::{Add, Check, Del, Gc, Plugin};
use cni_core::spec::{AttachmentId, Code, Error, Interface, NetName, Success, ValidAttachment};

/// What one plugin of a list holds for one attachment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub(crate) network: NetName,
    pub(crate) place: usize,
    pub(crate) id: AttachmentId,
}

/// When something fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
    /// After, and by a panic.
    Panicking,
}

/// What all plugins hold, and what is going to fail.
#[derive(Clone)]
pub(crate) struct World(Arc<Mutex<State>>);

struct State {
    held: BTreeSet<Held>,
    /// After how many calls, and when in that one. From then on, every third call fails, too.
    fault: Option<(usize, When)>,
}

impl World {
    /// Holding something of a network that nobody touches.
    pub(crate) fn new(seed: u64) -> Self {
        let held = Held {
            network: "foreign".parse().unwrap(),
            place: 0,
            id: AttachmentId::new(format!("f{seed}").parse().unwrap(), "eth0".parse().unwrap()),
        };
        Self(Arc::new(Mutex::new(State {
            held: [held].into(),
            fault: None,
        })))
    }

    pub(crate) fn held(&self) -> BTreeSet<Held> {
        self.state().held.clone()
    }

    /// Has something fail after so many calls, `random` says when in the call.
    pub(crate) fn fail_at(&self, calls: usize, random: u64) {
        let when = match random % 5 {
            0 | 1 => When::Before,
            2 | 3 => When::After,
            _ => When::Panicking,
        };
        self.state().fault = Some((calls, when));
    }

    /// Nothing fails any more.
    pub(crate) fn heal(&self) {
        self.state().fault = None;
    }

    /// Counts a call; whether it fails.
    pub(crate) fn call(&self) -> Option<When> {
        let mut state = self.state();
        let (calls, when) = state.fault?;
        state.fault = Some((if calls == 0 { 2 } else { calls - 1 }, when));
        (calls == 0).then_some(when)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `effect`, and fails as planned.
    fn act(
        &self,
        verb: &str,
        effect: impl FnOnce(&mut BTreeSet<Held>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let when = self.call();
        let failed = Error::new(Code(100), format!("{verb}, {when:?}"));
        if when == Some(When::Before) {
            return Err(failed);
        }
        effect(&mut self.state().held)?;
        match when {
            // Without the hook, which would tell of it.
            Some(When::Panicking) => resume_unwind(Box::new("as planned")),
            Some(_) => Err(failed),
            None => Ok(()),
        }
    }
}

/// The plugin.
pub(crate) struct Keeper(pub(crate) World);

#[derive(serde::Deserialize)]
pub(crate) struct Config {
    place: usize,
}

impl Plugin for Keeper {
    type Config = Config;
    const NAME: &'static str = "keeper";

    fn add(&self, request: Add<'_, Config>) -> Result<Success, Error> {
        let held = held(request.env.network, &request.config, request.id);
        let interface = Interface::new(format!("if{}", held.place));
        self.0.act("ADD", |all| match all.insert(held) {
            true => Ok(()),
            false => Err(Error::new(Code(101), "it exists")),
        })?;
        let mut result = request.prev.unwrap_or_default();
        result.interfaces.push(interface);
        Ok(result)
    }

    fn del(&self, request: Del<'_, Config>) -> Result<(), Error> {
        let held = held(request.env.network, &request.config, request.id);
        self.0.act("DEL", |all| {
            all.remove(&held);
            Ok(())
        })
    }

    fn check(&self, _: Check<'_, Config>) -> Result<(), Error> {
        Ok(())
    }

    fn gc(&self, request: Gc<'_, Config>) -> Result<(), Error> {
        let (network, place) = (&request.env.network, request.config.place);
        let Some(valid) = request.valid else { return Ok(()) };
        let is_left = |held: &Held| {
            let is_ours = held.network == *network && held.place == place;
            is_ours && !valid.contains(&ValidAttachment::from(&held.id))
        };
        self.0.act("GC", |all| {
            all.retain(|held| !is_left(held));
            Ok(())
        })
    }
}

fn held(network: NetName, config: &Config, id: AttachmentId) -> Held {
    let place = config.place;
    Held { network, place, id }
}
