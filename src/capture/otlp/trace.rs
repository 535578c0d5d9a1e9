//! The parts of one trace put together: events to their spans, nested spans to calls.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;

use super::super::format::Reading;
use super::super::reason::{FilterReason, RejectReason};
use super::kind::Kind;
use super::span::{DETAILS, Event, Item, Span};
use super::tree::Tree;

/// The readings of the parts of a trace, each with the part whose place it takes.
pub(super) fn join(parts: &[Value]) -> Vec<(usize, Reading)> {
    let mut readings = Vec::new();
    let mut spans: Vec<(usize, Span)> = Vec::new();
    let mut events = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        match Item::deserialize(part) {
            Ok(Item::Span(span)) => spans.push((index, *span)),
            Ok(Item::Around { id, parent, attributes }) => {
                spans.push((index, Span { id, parent, attributes, ..Span::default() }));
            }
            Ok(Item::Event { span, sampled, event }) => events.push((index, span, sampled, *event)),
            Err(_) => {
                let detail = "a part of a trace that is none".to_owned();
                readings.push((index, Reading::Reject(RejectReason::BadField, detail)));
            }
        }
    }
    let copies = set_copies_apart(&mut spans, &mut readings);
    attach_events(&mut spans, events, &mut readings);
    let tree = Tree::of(&spans);
    tree.read(&mut readings);
    for (index, original) in copies {
        let same = readings.iter().find(|(of, _)| *of == original).map(|(_, same)| same.clone());
        readings.push((index, same.unwrap_or(Reading::Filtered(FilterReason::Outdated))));
    }
    readings.sort_by_key(|(index, _)| *index);
    readings
}

/// Takes spans out that the log holds again. An exact copy gets its original's reading, so that the
/// importer counts it as a duplicate; of two different states the fuller one stays.
fn set_copies_apart(
    spans: &mut Vec<(usize, Span)>,
    readings: &mut Vec<(usize, Reading)>,
) -> Vec<(usize, usize)> {
    let mut copies = Vec::new();
    let mut kept: Vec<(usize, Span)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (index, span) in spans.drain(..) {
        let place = if span.id.is_empty() { None } else { places.get(&span.id).copied() };
        let Some(earlier) = place.and_then(|place| kept.get_mut(place)) else {
            places.insert(span.id.clone(), kept.len());
            kept.push((index, span));
            continue;
        };
        if earlier.1 == span {
            copies.push((index, earlier.0));
            continue;
        }
        let fullness = |span: &Span| (span.attributes.len(), span.end_ns);
        let outdated = if fullness(&span) >= fullness(&earlier.1) {
            std::mem::replace(earlier, (index, span)).0
        } else {
            index
        };
        readings.push((outdated, Reading::Filtered(FilterReason::Outdated)));
    }
    *spans = kept;
    copies
}

/// Hands events over to the calls that they belong to. An event that tells everything is a call of
/// its own where its span is none.
fn attach_events(
    spans: &mut Vec<(usize, Span)>,
    events: Vec<(usize, String, Option<bool>, Event)>,
    readings: &mut Vec<(usize, Reading)>,
) {
    let mut of_span: BTreeMap<String, Vec<(usize, Option<bool>, Event)>> = BTreeMap::new();
    for (index, span, sampled, event) in events {
        of_span.entry(span).or_default().push((index, sampled, event));
    }
    let calls = spans.iter().enumerate().filter(|(_, (_, span))| span.kind != Kind::Other);
    let calls: BTreeMap<String, usize> =
        calls.map(|(at, (_, span))| (span.id.clone(), at)).collect();
    for (id, mut events) in of_span {
        // A copy of an event would double its message.
        let mut seen: Vec<Event> = Vec::new();
        events.retain(|(_, _, event)| {
            let is_new = !seen.contains(event);
            if is_new {
                seen.push(event.clone());
            }
            is_new
        });
        events.sort_by_key(|(_, _, event)| event.time_ns);
        let call = calls.get(&id).filter(|_| !id.is_empty());
        if let Some((_, span)) = call.and_then(|at| spans.get_mut(*at)) {
            for (_, _, event) in events {
                span.add_event(event);
            }
            continue;
        }
        let first = events.first().map(|(index, sampled, _)| (*index, *sampled));
        let mut details: Vec<_> = events
            .into_iter()
            .filter(|(_, _, event)| event.name == DETAILS)
            .map(|(index, _, event)| (index, call_of(&id, event)))
            .collect();
        if details.is_empty() {
            readings.extend(first.map(|(index, sampled)| (index, orphan(sampled))));
        }
        spans.append(&mut details);
    }
}

/// The call that an event with all its details tells, below the span that it came from.
fn call_of(parent: &str, event: Event) -> Span {
    let kind = match Kind::of("", "", &event.attributes) {
        Kind::Other => Kind::Chat,
        kind => kind,
    };
    let (parent, end_ns) = (parent.to_owned(), event.time_ns);
    let mut span = Span { kind, parent, end_ns, ..Span::default() };
    span.add_event(event);
    span
}

/// Messages without the span that says which model was asked.
fn orphan(sampled: Option<bool>) -> Reading {
    if sampled == Some(false) {
        return Reading::Filtered(FilterReason::NotLlm);
    }
    let detail = "the span of these events is in none of the inputs, so the model is unknown: \
                  import the file of spans with them";
    Reading::Reject(RejectReason::MissingField, detail.to_owned())
}
