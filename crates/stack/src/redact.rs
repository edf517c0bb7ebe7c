//! What messages do not repeat: the user and password of a URL. They end in logs of CI and in chats.

use std::sync::Arc;
use vigil_forms::url;
use vigil_yaml::{Data, Node, Place, Problem, Source, Span};

/// The problems with every credential in them starred, also in the lines that they show.
pub(crate) fn redacted(mut problems: Vec<Problem>, source: &Source) -> Vec<Problem> {
    let Some(text) = url::without_credentials(&source.text) else { return problems };
    let clean = Source::new(source.name.as_str(), text);
    for problem in &mut problems {
        if let Place::Text(span) = &problem.place {
            problem.place = Span::new(&same(span, source, &clean), span.range.clone()).into();
        }
        let texts = [Some(&mut problem.message), problem.label.as_mut(), problem.help.as_mut()];
        for text in texts.into_iter().flatten() {
            if let Some(clean) = url::without_credentials(text) {
                *text = clean;
            }
        }
    }
    problems
}

/// `node` with places in a text without credentials: what is told of it later shows none.
pub(crate) fn without_credentials(node: &mut Node, source: &Source) {
    if let Some(text) = url::without_credentials(&source.text) {
        moved(node, &Source::new(source.name.as_str(), text));
    }
}

fn moved(node: &mut Node, to: &Arc<Source>) {
    let there = |span: &mut Span| *span = Span::new(to, span.range.clone());
    there(&mut node.span);
    match &mut node.data {
        Data::Scalar(_) => {}
        Data::List(items) => items.iter_mut().for_each(|item| moved(item, to)),
        Data::Map(entries) => entries.iter_mut().for_each(|entry| {
            there(&mut entry.key.span);
            moved(&mut entry.value, to);
        }),
    }
}

/// The source that takes the place of a span's own.
fn same(span: &Span, source: &Source, clean: &Arc<Source>) -> Arc<Source> {
    Arc::clone(if *span.source == *source { clean } else { &span.source })
}
