//! One call's ADD while it goes on.

use std::time::Instant;

use cni_core::spec::{Code, Error, IfName, Success, Version, with_causes};
use cni_net::link::Change;
use cni_net::{At, Netns};

use super::record::intended;
use super::{Attached, Request};
use crate::default_route::{self, Owner};
use crate::detach::{self, Place};
use crate::element::Element;
use crate::journal::{Intended, Journal, Locked, Record, RouteChange};
use crate::node::Node;
use crate::plan::{Attachment, Plan};

/// What belongs to the call, and what it has made so far.
pub(super) struct Adding<'a> {
    node: &'a Node,
    dir: &'a Locked,
    netns: &'a Netns,
    place: Place,
    journal: Journal,
    deadline: Instant,
    results: Vec<Success>,
}

impl<'a> Adding<'a> {
    /// Nothing is made yet.
    pub(super) fn new(
        node: &'a Node,
        dir: &'a Locked,
        request: &Request,
        netns: &'a Netns,
        journal: Journal,
        deadline: Instant,
    ) -> Self {
        let place = Place {
            container: request.id.container.clone(),
            netns: Some(netns.clone()),
            recorded: request.netns.clone(),
            path: request.path.clone(),
        };
        let results = Vec::new();
        Self {
            node,
            dir,
            netns,
            place,
            journal,
            deadline,
            results,
        }
    }

    /// Makes everything, and makes the journal durable.
    pub(super) fn all(&mut self, plan: &Plan) -> Result<(), Error> {
        // Not every runtime sees to it, and what runs in a pod counts on it. It ends with the namespace, so
        // nothing of it is for DEL.
        let loopback = Change::up();
        self.node.net.set_link(At::Netns(self.netns), "lo", &loopback)?;
        for (at, attachment) in (0..).zip(&plan.attachments) {
            let intended = intended(&self.node.resolver, at, attachment)?;
            self.one(&intended)
                .and_then(|()| self.default_route(plan))
                .map_err(|error| intended.named(error))?;
        }
        self.journal.append(Record::Finished)?;
        Ok(self.journal.sync(self.dir)?)
    }

    /// What was made.
    pub(super) fn attached(self, plan: &Plan) -> Vec<Attached> {
        let with = |(attachment, result): (&Attachment, Success)| Attached {
            network: attachment.network.clone(),
            ifname: attachment.ifname.clone(),
            is_default: attachment.is_default,
            default_route: attachment.default_route.clone(),
            result,
        };
        plan.attachments.iter().zip(self.results).map(with).collect()
    }

    /// Takes everything back, and answers `error`, which led here.
    pub(super) fn undo(mut self, error: Error) -> Error {
        let failed = Record::Failed {
            error: error.shortened(),
        };
        if let Err(error) = self.journal.append(failed) {
            tracing::warn!(error = %with_causes(&error), "keep why ADD failed");
        }
        // The time for ADD may be over: undoing has its own.
        let deadline = Instant::now() + self.node.deadlines.del;
        let undone = detach::undo(self.node, self.dir, &mut self.journal, &self.place, deadline)
            .and_then(|()| Ok(self.journal.remove()?));
        if let Err(error) = undone {
            // The runtime follows a failed ADD with a DEL, which tries again; it is told why ADD failed.
            tracing::warn!(%error, "undo a failed ADD");
        }
        error
    }

    fn one(&mut self, intended: &Intended) -> Result<(), Error> {
        if Instant::now() >= self.deadline {
            return Err(Error::new(
                Code::TRY_AGAIN,
                "attach: the time for the whole pod is over",
            ));
        }
        self.free(&intended.ifname)?;
        self.journal.append(Record::Intended(intended.clone()))?;
        let element = Element::of(self.node, &self.place, intended, None)?;
        let result = element.add(self.deadline)?;
        self.done(intended.at, &result)?;
        self.results.push(result);
        Ok(())
    }

    /// Refuses a name that an interface of the container has, before its plugins would meet it: their DEL
    /// would take away what they did not make.
    fn free(&self, ifname: &IfName) -> Result<(), Error> {
        match self.node.net.link(At::Netns(self.netns), ifname.as_str())? {
            None => Ok(()),
            Some(_) => {
                let msg = format!("interface {:?} already exists in the container", ifname.as_str());
                Err(Error::new(Code::INVALID_CONFIG, msg))
            }
        }
    }

    fn done(&mut self, at: u32, result: &Success) -> Result<(), Error> {
        let text = result.encode(Version::V1_1_0);
        let text = text.map_err(|e| Error::from_source(Code::DECODING, &e))?;
        let result = text.get().to_owned();
        Ok(self.journal.append(Record::Done { at, result })?)
    }

    /// Gives the default route to the network that was asked to own it, as soon as that is there, and takes
    /// it from those that come later.
    fn default_route(&mut self, plan: &Plan) -> Result<(), Error> {
        let made = (0..).zip(plan.attachments.iter().zip(&self.results));
        let mut owners = made.filter_map(|(at, (attachment, result))| {
            let gateways = attachment.default_route.as_deref()?;
            let ifname = &attachment.ifname;
            Some(Owner {
                at,
                ifname,
                gateways,
                result,
            })
        });
        let Some(owner) = owners.next() else {
            return Ok(());
        };
        let there = self.node.net.routes(At::Netns(self.netns))?;
        let pod: Vec<&str> = plan.attachments.iter().map(|a| a.ifname.as_str()).collect();
        match default_route::change(owner, &pod, &there)? {
            Some(change) => self.change_routes(plan, change),
            None => Ok(()),
        }
    }

    fn change_routes(&mut self, plan: &Plan, change: RouteChange) -> Result<(), Error> {
        self.journal.append(Record::Routes(change.clone()))?;
        let at = At::Netns(self.netns);
        for route in &change.removed {
            self.node.net.del_route(at, &route.into())?;
        }
        let added: Vec<_> = change.added.iter().map(Into::into).collect();
        self.node.net.add_routes(at, &added)?;
        let before = std::mem::take(&mut self.results);
        for (at, (attachment, before)) in (0..).zip(plan.attachments.iter().zip(before)) {
            let after = default_route::in_result(before.clone(), &attachment.ifname, &change);
            if after != before {
                self.done(at, &after)?;
            }
            self.results.push(after);
        }
        Ok(())
    }
}
