//! Where the front door draws its random numbers; everything behind it gets them as arguments.

/// What one `generate` needs from chance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chance {
    /// `run_` and 26 characters of `[a-z0-9]`, 134 random bits.
    pub job_id: String,
    /// 20 characters of `[a-z0-9]`.
    pub gen_id: String,
    /// The seed for a request that brings none.
    pub seed: u32,
}

impl Chance {
    pub(super) fn draw() -> Self {
        Self { job_id: format!("run_{}", letters(26)), gen_id: letters(20), seed: number() }
    }
}

/// `count` characters of `[a-z0-9]`, all equally likely.
pub(super) fn letters(count: usize) -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(count);
    let mut bytes = [0_u8; 64];
    while text.len() < count {
        fill(&mut bytes);
        // 252 is the largest multiple of 36 in a byte; what lies above would favour the first letters.
        let usable = bytes.iter().filter(|byte| **byte < 252).take(count - text.len());
        text.extend(usable.map(|byte| char::from(ALPHABET[usize::from(byte % 36)])));
    }
    text
}

/// A number below `bound`, for picking from a list; 0 when the list is empty.
pub(super) fn below(bound: usize) -> usize {
    usize::try_from(number()).unwrap_or(0).checked_rem(bound).unwrap_or(0)
}

fn number() -> u32 {
    let mut bytes = [0_u8; 4];
    fill(&mut bytes);
    u32::from_le_bytes(bytes)
}

/// The operating system's generator. Ids guard jobs, so without it there is no safe answer: the request ends
/// in the net that catches panics, as 500.
fn fill(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        std::panic::panic_any(format!("the system gives no random numbers: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shape_of_the_contract_and_differ() {
        let (one, two) = (Chance::draw(), Chance::draw());
        assert_eq!(one.job_id.len(), 30);
        assert_eq!(one.gen_id.len(), 20);
        assert!(one.gen_id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        assert_ne!(one.job_id, two.job_id);
    }

    #[test]
    fn every_letter_is_drawn_about_as_often() {
        let text = letters(36_000);
        for letter in ('a'..='z').chain('0'..='9') {
            let count = text.matches(letter).count();
            assert!((800..1200).contains(&count), "{letter}: {count}");
        }
    }
}
