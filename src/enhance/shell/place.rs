//! Where additions stand: behind the last positive term, in front of negative ones, inside no bracket.

use crate::prompt::spans;

/// A place in a prompt. Whatever is put there, all bytes of the prompt stay as they are around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::enhance) struct Place<'a> {
    before: &'a str,
    after: &'a str,
}

impl<'a> Place<'a> {
    /// In a prompt that says something.
    pub(in crate::enhance) fn find(prompt: &'a str) -> Self {
        let depth = depths(prompt);
        let mut ends = spans(prompt).into_iter().filter(|span| span.positive).map(|span| span.end);
        let at = ends.rfind(|end| depth.get(*end).copied() == Some(0)).unwrap_or(prompt.len());
        let (before, after) = prompt.split_at(at);
        Self { before, after }
    }

    /// The prompt with these terms.
    pub(in crate::enhance) fn with(&self, additions: &[String]) -> String {
        let Self { before, after } = *self;
        if additions.is_empty() {
            return format!("{before}{after}");
        }
        let joint = match before.trim_end().chars().next_back() {
            None => "",
            Some(',') => " ",
            Some(_) => ", ",
        };
        format!("{before}{joint}{}{after}", additions.join(", "))
    }
}

/// For each place between two bytes, how many brackets and quotes with both their ends are open there. Also at the end
/// of the text, so that it is one longer.
fn depths(text: &str) -> Vec<u32> {
    let mut change = vec![0_i64; text.len() + 2];
    let mut open: [Vec<usize>; 4] = Default::default();
    let mut quote = None;
    let mut escaped = false;
    let mut pair = |from: usize, to: usize| {
        change[from + 1] += 1;
        change[to + 1] -= 1;
    };
    for (at, byte) in text.bytes().enumerate() {
        let opening = b"([{<".iter().position(|sign| *sign == byte);
        let closing = b")]}>".iter().position(|sign| *sign == byte);
        match (opening, closing) {
            _ if escaped => {}
            (Some(kind), _) => open[kind].push(at),
            (_, Some(kind)) => {
                if let Some(from) = open[kind].pop() {
                    pair(from, at);
                }
            }
            _ if byte == b'"' => match quote.take() {
                Some(from) => pair(from, at),
                None => quote = Some(at),
            },
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
    }
    let mut depth = 0;
    let running = change.into_iter().take(text.len() + 1).map(|step| {
        depth += step;
        u32::try_from(depth).unwrap_or_default()
    });
    running.collect()
}
