//! What messages do not repeat: the user and password of a URL. They end in logs of CI and in chats.

use std::sync::Arc;
use vigil_forms::url::without_credentials;
use vigil_yaml::{Place, Problem, Source, Span};

/// The problems with every credential in them starred, also in the lines that they show.
pub(crate) fn redacted(mut problems: Vec<Problem>, source: &Source) -> Vec<Problem> {
    let Some(text) = without_credentials(&source.text) else { return problems };
    let clean = Source::new(source.name.as_str(), text);
    for problem in &mut problems {
        if let Place::Text(span) = &problem.place {
            problem.place = Span::new(&same(span, source, &clean), span.range.clone()).into();
        }
        let texts = [Some(&mut problem.message), problem.label.as_mut(), problem.help.as_mut()];
        for text in texts.into_iter().flatten() {
            if let Some(clean) = without_credentials(text) {
                *text = clean;
            }
        }
    }
    problems
}

/// The source that takes the place of a span's own.
fn same(span: &Span, source: &Source, clean: &Arc<Source>) -> Arc<Source> {
    Arc::clone(if *span.source == *source { clean } else { &span.source })
}
