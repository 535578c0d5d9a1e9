//! A tree of SVG elements that escapes every text and attribute when it is written.

use std::fmt::{self, Display, Formatter, Write as _};

use super::super::escape::escape_xml;

/// One element with its attributes and children.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    tag: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Child>,
}

#[derive(Debug, Clone)]
enum Child {
    Element(Element),
    Text(String),
}

impl Element {
    /// An element without attributes and children.
    pub(crate) fn new(tag: &'static str) -> Self {
        Element { tag, attributes: Vec::new(), children: Vec::new() }
    }

    /// The element with one more attribute.
    pub(crate) fn attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// The element with a class.
    pub(crate) fn class(self, class: impl Into<String>) -> Self {
        self.attribute("class", class)
    }

    /// The element with one more attribute, a coordinate in user units.
    pub(crate) fn at(self, name: &'static str, value: f64) -> Self {
        self.attribute(name, coordinate(value))
    }

    /// The element with one more child.
    pub(crate) fn child(mut self, child: Element) -> Self {
        self.children.push(Child::Element(child));
        self
    }

    /// The element with more children.
    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children.into_iter().map(Child::Element));
        self
    }

    /// The element with more text in it.
    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.children.push(Child::Text(text.into()));
        self
    }

    /// The element with a tooltip and accessible name.
    pub(crate) fn titled(self, title: impl Into<String>) -> Self {
        self.child(Element::new("title").text(title))
    }
}

impl Display for Element {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "<{}", self.tag)?;
        for (name, value) in &self.attributes {
            write!(out, " {name}=\"{}\"", escape_xml(value))?;
        }
        if self.children.is_empty() {
            return out.write_str("/>");
        }
        out.write_char('>')?;
        for child in &self.children {
            match child {
                Child::Element(element) => element.fmt(out)?,
                Child::Text(text) => out.write_str(&escape_xml(text))?,
            }
        }
        write!(out, "</{}>", self.tag)
    }
}

// The writer above escapes all that it writes, so a page template may take it as it is.
impl askama::filters::HtmlSafe for Element {}

/// A coordinate with a tenth of a unit, which no eye can tell from more.
pub(crate) fn coordinate(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded.is_finite() { format!("{}", rounded + 0.0) } else { "0".to_owned() }
}

/// A line between two points.
pub(crate) fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> Element {
    Element::new("line")
        .class(class)
        .at("x1", from.0)
        .at("y1", from.1)
        .at("x2", to.0)
        .at("y2", to.1)
}

/// A rectangle; negative sizes become zero.
pub(crate) fn rectangle(class: &str, corner: (f64, f64), size: (f64, f64)) -> Element {
    Element::new("rect")
        .class(class)
        .at("x", corner.0)
        .at("y", corner.1)
        .at("width", size.0.max(0.0))
        .at("height", size.1.max(0.0))
}

/// Text at a point; `anchor` is `start`, `middle` or `end`.
pub(crate) fn label(class: &str, at: (f64, f64), anchor: &'static str, text: &str) -> Element {
    Element::new("text")
        .class(class)
        .at("x", at.0)
        .at("y", at.1)
        .attribute("text-anchor", anchor)
        .text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped() {
        let element = Element::new("g")
            .attribute("data-arm", "\"><script>")
            .titled("</title><img src=x>")
            .child(label("l", (1.0, 2.25), "end", "a & b"));
        assert_eq!(
            element.to_string(),
            "<g data-arm=\"&quot;&gt;&lt;script&gt;\">\
             <title>&lt;/title&gt;&lt;img src=x&gt;</title>\
             <text class=\"l\" x=\"1\" y=\"2.3\" text-anchor=\"end\">a &amp; b</text></g>"
        );
    }

    #[test]
    fn coordinates_are_short_finite_and_have_no_negative_zero() {
        let cases = [(1.0, "1"), (1.04, "1"), (1.06, "1.1"), (-0.01, "0"), (f64::NAN, "0")];
        for (given, wanted) in cases {
            assert_eq!(coordinate(given), wanted);
        }
    }
}
