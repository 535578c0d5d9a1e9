//! Nested spans of a trace to calls, each counted once.

use std::collections::{BTreeMap, VecDeque};

use super::super::format::Reading;
use super::super::reason::FilterReason;
use super::kind::Kind;
use super::prompt::has_content;
use super::row;
use super::span::Span;
use super::usage::has_usage;

/// How far up a span looks for the call that it belongs to, and for whose it is.
const MAX_ANCESTORS: usize = 256;

/// How much earlier than its parent's a child's clock may run.
const CLOCK_SKEW_NS: i64 = 1_000_000_000;

/// One call of a model, with every span that tells something of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Call<'s> {
    /// The span that stands for the call, then those that repeat it, the innermost first.
    pub(super) spans: Vec<&'s Span>,
    /// Spans around it that tell whose it is, the nearest first.
    pub(super) around: Vec<&'s Span>,
    /// Whether the span that stands for the call includes several attempts.
    pub(super) retried: bool,
    /// The span around several attempts of which this is one.
    pub(super) family: Option<&'s Span>,
}

/// The spans of a trace and which call repeats which.
pub(super) struct Tree<'s> {
    spans: &'s [(usize, Span)],
    by_id: BTreeMap<&'s str, usize>,
    /// By the identifier of an answer the span of it that begins first.
    by_answer: BTreeMap<&'s str, usize>,
}

/// The identifier of a call's answer. For a failed call LiteLLM states that of the call.
fn response_id(span: &Span) -> Option<&str> {
    let id = span.attribute(&["gen_ai.response.id"]).filter(|_| !span.failed)?.as_str()?;
    (span.kind != Kind::Other).then_some(id)
}

impl<'s> Tree<'s> {
    /// The tree of spans, each with the place of its part.
    pub(super) fn of(spans: &'s [(usize, Span)]) -> Self {
        let named = spans.iter().enumerate().filter(|(_, (_, span))| !span.id.is_empty());
        let by_id = named.map(|(at, (_, span))| (span.id.as_str(), at)).collect();
        let mut in_time: Vec<(usize, &Span)> =
            spans.iter().enumerate().map(|(at, (_, span))| (at, span)).collect();
        in_time.sort_by_key(|(at, span)| (span.start_ns, *at));
        let mut by_answer = BTreeMap::new();
        for (at, span) in in_time {
            if let Some(id) = response_id(span) {
                by_answer.entry(id).or_insert(at);
            }
        }
        Tree { spans, by_id, by_answer }
    }

    fn span(&self, at: usize) -> Option<&'s Span> {
        self.spans.get(at).map(|(_, span)| span)
    }

    /// The spans around one, the nearest first.
    fn ancestors(&self, at: usize) -> impl Iterator<Item = usize> {
        let parent = |at: usize| self.by_id.get(self.span(at)?.parent.as_str()).copied();
        std::iter::successors(parent(at), move |at| parent(*at))
            .take_while(move |ancestor| *ancestor != at)
            .take(MAX_ANCESTORS)
    }

    /// The span that a span repeats: the call around it, else the first of the trace that has the
    /// same answer, as two instrumentations of one SDK have that do not know each other.
    fn outer(&self, at: usize) -> Option<usize> {
        let inner = self.span(at).filter(|span| span.kind != Kind::Other)?;
        let is_call = |at: &usize| self.span(*at).is_some_and(|span| span.kind != Kind::Other);
        let around = self.ancestors(at).find(is_call);
        let twin = || self.by_answer.get(response_id(inner)?).copied().filter(|twin| *twin != at);
        let is_same = |outer: &usize| self.span(*outer).is_some_and(|of| is_same_call(of, inner));
        around.filter(is_same).or_else(|| twin().filter(is_same))
    }

    /// Goes from the innermost spans outwards, so that each knows the calls inside it.
    pub(super) fn read(&self, readings: &mut Vec<(usize, Reading)>) {
        let mut nodes: Vec<Node<'s>> = (0..self.spans.len())
            .map(|at| Node { outer: self.outer(at), ..Node::default() })
            .collect();
        let outers: Vec<usize> = nodes.iter().filter_map(|node| node.outer).collect();
        for outer in outers {
            if let Some(node) = nodes.get_mut(outer) {
                node.awaited += 1;
            }
        }
        let is_ready = |at: &usize| nodes.get(*at).is_some_and(|node| node.awaited == 0);
        let mut ready: VecDeque<usize> = (0..self.spans.len()).filter(is_ready).collect();
        // Parents that go round in a circle never get ready; each is taken alone then.
        let mut left = 0..self.spans.len();
        while let Some(at) = ready.pop_front().or_else(|| left.next()) {
            let Some(node) = nodes.get_mut(at).filter(|node| !node.is_done) else { continue };
            node.is_done = true;
            let (outer, inner) = (node.outer, std::mem::take(&mut node.inner));
            let Some((index, span)) = self.spans.get(at) else { continue };
            if span.kind == Kind::Other {
                readings.push((*index, Reading::Filtered(FilterReason::NotLlm)));
                continue;
            }
            let calls = settle(Found::of(at, span), inner, |at| self.wrapper(at, readings));
            let outer = outer.and_then(|outer| Some((outer, nodes.get_mut(outer)?)));
            match outer.filter(|(_, node)| !node.is_done) {
                Some((at, node)) => {
                    node.inner.extend(calls);
                    node.awaited = node.awaited.saturating_sub(1);
                    if node.awaited == 0 {
                        ready.push_back(at);
                    }
                }
                None => calls.into_iter().for_each(|call| self.finish(call, readings)),
            }
        }
    }

    fn wrapper(&self, at: usize, readings: &mut Vec<(usize, Reading)>) {
        if let Some((index, _)) = self.spans.get(at) {
            readings.push((*index, Reading::Filtered(FilterReason::Wrapper)));
        }
    }

    fn finish(&self, mut found: Found<'s>, readings: &mut Vec<(usize, Reading)>) {
        let Some((index, span)) = self.spans.get(found.at) else { return };
        if span.kind == Kind::Raw {
            readings.push((*index, Reading::Filtered(FilterReason::Wrapper)));
            return;
        }
        found.call.around.extend(self.ancestors(found.at).filter_map(|at| self.span(at)));
        readings.push((*index, row::reading(&found.call)));
    }
}

/// Where the search for calls is with a span.
#[derive(Default)]
struct Node<'s> {
    /// The span that it repeats or that repeats it.
    outer: Option<usize>,
    /// How many spans inside are still to come.
    awaited: usize,
    inner: Vec<Found<'s>>,
    is_done: bool,
}

/// A call, and which span stands for it.
struct Found<'s> {
    at: usize,
    call: Call<'s>,
}

impl<'s> Found<'s> {
    fn of(at: usize, span: &'s Span) -> Self {
        Found { at, call: Call { spans: vec![span], ..Call::default() } }
    }

    /// How much the span that stands for the call tells.
    fn worth(&self) -> u8 {
        match self.call.spans.first() {
            Some(span) if span.kind == Kind::Raw => 0,
            Some(span) if has_content(span) => 3,
            Some(span) if has_usage(span) => 2,
            Some(_) => 1,
            None => 0,
        }
    }
}

/// The calls of a span and of those inside it that repeat it; `wrapper` is told of each span that
/// stands for none.
fn settle<'s>(
    outer: Found<'s>,
    mut inner: Vec<Found<'s>>,
    mut wrapper: impl FnMut(usize),
) -> Vec<Found<'s>> {
    const CONTENT: u8 = 3;
    match inner.len() {
        0 => vec![outer],
        1 => {
            let Some(mut inner) = inner.pop() else { return vec![outer] };
            let mut outer = outer;
            if outer.worth() > inner.worth() {
                wrapper(inner.at);
                outer.call.spans.append(&mut inner.call.spans);
                outer.call.retried |= inner.call.retried;
                vec![outer]
            } else {
                wrapper(outer.at);
                inner.call.spans.append(&mut outer.call.spans);
                vec![inner]
            }
        }
        _ if outer.worth() == CONTENT && inner.iter().all(|call| call.worth() < CONTENT) => {
            for call in &inner {
                wrapper(call.at);
            }
            let call = Call { retried: true, ..outer.call };
            vec![Found { call, ..outer }]
        }
        // Several attempts or steps, each told by a span of its own.
        _ => {
            wrapper(outer.at);
            let family = outer.call.spans.first().copied();
            for inner in &mut inner {
                inner.call.family = inner.call.family.or(family);
            }
            inner
        }
    }
}

/// Whether a span inside another repeats it: the same kind of call and model, begun inside it.
fn is_same_call(outer: &Span, inner: &Span) -> bool {
    if !outer.kind.matches(inner.kind) || !is_same_model(outer, inner) {
        return false;
    }
    let (Some(from), Some(begun)) = (outer.start_ns, inner.start_ns) else { return true };
    let is_before_end = outer.end_ns.is_none_or(|end| begun <= end.saturating_add(CLOCK_SKEW_NS));
    begun >= from.saturating_sub(CLOCK_SKEW_NS) && is_before_end
}

/// Whether two spans may name the same model: one is silent, or names agree up to a provider
/// before and a version behind.
fn is_same_model(outer: &Span, inner: &Span) -> bool {
    let names = |span: &Span| -> Vec<String> {
        let models = row::MODELS.iter().filter_map(|name| span.text(&[*name]));
        let bare =
            |model: String| model.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        models.map(bare).filter(|model| !model.is_empty()).collect()
    };
    let (outer, inner) = (names(outer), names(inner));
    let agree = |a: &String| inner.iter().any(|b| a.starts_with(b.as_str()) || b.starts_with(a));
    outer.is_empty() || inner.is_empty() || outer.iter().any(agree)
}
