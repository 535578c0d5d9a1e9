//! What is wrong with a plan, and where.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the file.
    pub span: Option<Range<usize>>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Problem { message: message.into(), span: Some(span), help: None }
    }

    /// A problem of the file as a whole.
    pub fn overall(message: impl Into<String>) -> Self {
        Problem { message: message.into(), span: None, help: None }
    }

    /// The same with a word on what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A plan that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The file cannot be read.
    #[error("cannot read the plan {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file says something that makes no sense.
    #[error("the plan {} has {} problem(s)\n{}", path.display(), problems.len(), render(path, text, problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Its text.
        text: String,
        /// Everything that is wrong.
        problems: Vec<Problem>,
    },
}

/// Draws each problem under the line that it concerns.
fn render(path: &Path, text: &str, problems: &[Problem]) -> String {
    let renderer = Renderer::plain();
    let name = path.display().to_string();
    let mut output = String::new();
    for problem in problems {
        let title = Level::ERROR.primary_title(problem.message.as_str());
        let mut group = match &problem.span {
            Some(span) => {
                let end = span.end.min(text.len());
                let span = span.start.min(end)..end;
                let snippet = Snippet::source(text)
                    .path(name.as_str())
                    .annotation(AnnotationKind::Primary.span(span));
                title.element(snippet)
            }
            None => annotate_snippets::Group::with_title(title),
        };
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        output.push_str(&renderer.render(&[group]));
        output.push('\n');
    }
    output.trim_end().to_owned()
}
