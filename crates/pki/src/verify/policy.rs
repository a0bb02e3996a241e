//! Certificate policies along a path (RFC 5280, section 6.1, as RFC 9618 mends it).
//!
//! RFC 5280 keeps a tree of which mappings can make exponentially many nodes. RFC 9618 keeps a graph
//! with one node a policy and certificate: as large as the certificates are.

use std::collections::{HashMap, HashSet};

use super::problem::Problem;
use super::rules::PolicyRules;
use crate::certificate::Certificate;
use crate::extension::{ExtensionValue, PolicyInformation};
use crate::oid::Oid;

/// What is known of policies after some certificates of a path.
pub(crate) struct Policies<'r> {
    rules: &'r PolicyRules,
    /// One level for each certificate, behind the one of the anchor; none where no policy is left.
    graph: Option<Vec<Level>>,
    /// After how many certificates each of these begins to hold (section 6.1.2 (d) to (f)).
    explicit_policy: usize,
    inhibit_any: usize,
    policy_mapping: usize,
}

type Level = Vec<Node>;

struct Node {
    policy: Oid,
    /// Which policies of the next certificate stand for this one.
    expected: Vec<Oid>,
    /// Places in the level above.
    parents: Vec<usize>,
}

impl<'r> Policies<'r> {
    /// For a path of `length` certificates, the anchor not counted.
    pub(crate) fn new(rules: &'r PolicyRules, length: usize) -> Self {
        let root = Node {
            policy: Oid::ANY_POLICY,
            expected: vec![Oid::ANY_POLICY],
            parents: Vec::new(),
        };
        let unless = |now: bool| if now { 0 } else { length + 1 };
        Self {
            rules,
            graph: Some(vec![vec![root]]),
            explicit_policy: unless(rules.explicit),
            inhibit_any: unless(rules.inhibit_any),
            policy_mapping: unless(rules.inhibit_mapping),
        }
    }

    /// The basic steps (section 6.1.3 (d) to (f)).
    pub(crate) fn process(
        &mut self,
        certificate: &Certificate,
        is_last: bool,
        failures: &mut impl FnMut(Problem),
    ) {
        self.graph = match (self.graph.take(), policies_of(certificate)) {
            (Some(mut graph), Some(policies)) => {
                let self_issued = !is_last && certificate.is_self_issued();
                let any_counts = self.inhibit_any > 0 || self_issued;
                let level = next_level(
                    graph.last().map_or(&[], Vec::as_slice),
                    policies,
                    any_counts,
                );
                graph.push(level);
                prune(graph)
            }
            _ => None,
        };
        if self.explicit_policy == 0 && self.graph.is_none() {
            failures(Problem::NoPolicy);
            // Told once, of the certificate where it begins.
            self.explicit_policy = usize::MAX;
        }
    }

    /// The preparation for the next certificate (section 6.1.4 (a), (b) and (h) to (j)).
    pub(crate) fn prepare(
        &mut self,
        certificate: &Certificate,
        failures: &mut impl FnMut(Problem),
    ) {
        if let Some(ExtensionValue::PolicyMappings(mappings)) =
            value(certificate, &Oid::POLICY_MAPPINGS)
        {
            if mappings
                .iter()
                .any(|(a, b)| *a == Oid::ANY_POLICY || *b == Oid::ANY_POLICY)
            {
                failures(Problem::AnyPolicyMapped);
            }
            self.map(mappings);
        }
        if !certificate.is_self_issued() {
            for counter in [
                &mut self.explicit_policy,
                &mut self.inhibit_any,
                &mut self.policy_mapping,
            ] {
                *counter = counter.saturating_sub(1);
            }
        }
        if let Some(ExtensionValue::PolicyConstraints(constraints)) =
            value(certificate, &Oid::POLICY_CONSTRAINTS)
        {
            lower(
                &mut self.explicit_policy,
                constraints.require_explicit_policy,
            );
            lower(&mut self.policy_mapping, constraints.inhibit_policy_mapping);
        }
        if let Some(ExtensionValue::InhibitAnyPolicy(skip)) =
            value(certificate, &Oid::INHIBIT_ANY_POLICY)
        {
            lower(&mut self.inhibit_any, Some(*skip));
        }
    }

    /// The end (section 6.1.5 (a), (b) and (g)): the policies that the path is valid for.
    pub(crate) fn finish(
        mut self,
        certificate: &Certificate,
        failures: &mut impl FnMut(Problem),
    ) -> Vec<Oid> {
        self.explicit_policy = self.explicit_policy.saturating_sub(1);
        if let Some(ExtensionValue::PolicyConstraints(constraints)) =
            value(certificate, &Oid::POLICY_CONSTRAINTS)
            && constraints.require_explicit_policy == Some(0)
        {
            self.explicit_policy = 0;
        }
        let valid_for = self.graph.as_deref().map_or_else(Vec::new, valid_for);
        let acceptable = &self.rules.acceptable;
        let all = |policies: &[Oid]| policies.contains(&Oid::ANY_POLICY);
        let common: Vec<Oid> = if acceptable.is_empty() || all(acceptable) {
            valid_for
        } else if all(&valid_for) {
            acceptable.clone()
        } else {
            let wanted: HashSet<&Oid> = acceptable.iter().collect();
            let common = valid_for
                .into_iter()
                .filter(|policy| wanted.contains(policy));
            common.collect()
        };
        if self.explicit_policy == 0 && common.is_empty() {
            failures(Problem::NoPolicy);
        }
        common
    }

    fn map(&mut self, mappings: &[(Oid, Oid)]) {
        let Some(graph) = &mut self.graph else {
            return;
        };
        let Some(level) = graph.last_mut() else {
            return;
        };
        let mut targets: HashMap<&Oid, Vec<Oid>> = HashMap::new();
        let mut order = Vec::new();
        for (issuer, subject) in mappings {
            let list = targets.entry(issuer).or_insert_with(|| {
                order.push(issuer);
                Vec::new()
            });
            list.push(subject.clone());
        }
        if self.policy_mapping == 0 {
            // Nodes of this level are no one's parents yet, so their places may change.
            level.retain(|node| !targets.contains_key(&node.policy));
            self.graph = self.graph.take().and_then(prune);
            return;
        }
        let any = level.iter().find(|node| node.policy == Oid::ANY_POLICY);
        let any_parents = any.map(|node| node.parents.clone());
        for node in level.iter_mut() {
            if let Some(expected) = targets.remove(&node.policy) {
                node.expected = expected;
            }
        }
        let Some(parents) = any_parents else {
            return;
        };
        for issuer in order {
            if let Some(expected) = targets.remove(issuer) {
                level.push(Node {
                    policy: issuer.clone(),
                    expected,
                    parents: parents.clone(),
                });
            }
        }
    }
}

/// Section 6.1.3 (d)(1) and (2).
fn next_level(above: &[Node], policies: &[PolicyInformation], any_counts: bool) -> Level {
    let mut expecting: HashMap<&Oid, Vec<usize>> = HashMap::new();
    for (place, node) in above.iter().enumerate() {
        for expected in &node.expected {
            let places = expecting.entry(expected).or_default();
            // A mapping that is written twice makes no second edge.
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
    }
    let any_above = above.iter().position(|node| node.policy == Oid::ANY_POLICY);
    let mut level = Vec::new();
    let mut there: HashSet<&Oid> = HashSet::new();
    let mut add = |policy: &Oid, parents: Vec<usize>| {
        level.push(Node {
            policy: policy.clone(),
            expected: vec![policy.clone()],
            parents,
        });
    };
    let mut has_any = false;
    for PolicyInformation { policy, .. } in policies {
        if *policy == Oid::ANY_POLICY {
            has_any = true;
            continue;
        }
        let parents = match (expecting.get(policy), any_above) {
            (Some(parents), _) => parents.clone(),
            (None, Some(any)) => vec![any],
            (None, None) => continue,
        };
        if there.insert(policy) {
            add(policy, parents);
        }
    }
    if has_any && any_counts {
        for (policy, parents) in expecting {
            if !there.contains(policy) {
                add(policy, parents);
            }
        }
    }
    level
}

/// Takes out nodes above the last level that have no child (section 6.1.3 (d)(3)); none where no
/// node is left.
fn prune(mut graph: Vec<Level>) -> Option<Vec<Level>> {
    for depth in (1..graph.len()).rev() {
        let (above, below) = graph.split_at_mut(depth);
        let (above, below) = (&mut above[depth - 1], &mut below[0]);
        let mut keep = vec![false; above.len()];
        for node in below.iter() {
            node.parents.iter().for_each(|parent| keep[*parent] = true);
        }
        if keep.iter().all(|keep| *keep) {
            break;
        }
        let mut place = 0;
        let places: Vec<usize> = keep
            .iter()
            .map(|keep| {
                place += usize::from(*keep);
                place.saturating_sub(1)
            })
            .collect();
        let mut kept = keep.iter();
        above.retain(|_| kept.next().copied().unwrap_or(false));
        for node in below {
            node.parents
                .iter_mut()
                .for_each(|parent| *parent = places[*parent]);
        }
    }
    graph
        .last()
        .is_some_and(|level| !level.is_empty())
        .then_some(graph)
}

/// The policies of the anchor's own domain that the path is valid for: nodes whose parent is
/// `anyPolicy` (section 6.1.5 (g)).
fn valid_for(graph: &[Level]) -> Vec<Oid> {
    let mut policies = Vec::new();
    let mut seen = HashSet::new();
    for pair in graph.windows(2) {
        let (above, level) = (&pair[0], &pair[1]);
        for node in level {
            let below_any = node
                .parents
                .iter()
                .any(|parent| above[*parent].policy == Oid::ANY_POLICY);
            if below_any && node.policy != Oid::ANY_POLICY && seen.insert(&node.policy) {
                policies.push(node.policy.clone());
            }
        }
    }
    let last = graph.last().into_iter().flatten();
    if last.into_iter().any(|node| node.policy == Oid::ANY_POLICY) {
        return vec![Oid::ANY_POLICY];
    }
    policies
}

fn lower(counter: &mut usize, to: Option<u32>) {
    if let Some(to) = to {
        *counter = (*counter).min(to as usize);
    }
}

fn policies_of(certificate: &Certificate) -> Option<&[PolicyInformation]> {
    match value(certificate, &Oid::CERTIFICATE_POLICIES) {
        Some(ExtensionValue::CertificatePolicies(policies)) => Some(policies),
        _ => None,
    }
}

fn value<'c>(certificate: &'c Certificate, oid: &Oid) -> Option<&'c ExtensionValue> {
    certificate.extension(oid).map(|extension| &extension.value)
}
