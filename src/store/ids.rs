//! Names drawn by chance: jobs, pictures, API keys. Chance comes in as an argument.

use super::StoreError;

const BASE36: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const BASE62: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `N` bytes from the operating system, to be handed to the functions below.
pub fn os_random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Randomness(error.to_string()))?;
    Ok(bytes)
}

/// `run_` and 26 characters of `[a-z0-9]`: 134 bits.
pub fn job_id(random: [u8; 32]) -> String {
    format!("run_{}", digits(random, BASE36, 26))
}

/// `opt_` and 26 characters of `[a-z0-9]`: by which the ledger knows a prompt that `optimize` refused.
pub fn refusal_id(random: [u8; 32]) -> String {
    format!("opt_{}", digits(random, BASE36, 26))
}

/// 20 characters of `[a-z0-9]`: 103 bits; the first part of every object name of a job.
pub fn gen_id(random: [u8; 32]) -> String {
    digits(random, BASE36, 20)
}

/// An API key: `imgen_` and 43 characters of `[A-Za-z0-9]`, which hold all 256 bits.
pub fn token(random: [u8; 32]) -> String {
    format!("imgen_{}", digits(random, BASE62, 43))
}

/// Least significant digits of a 256-bit number. Where fewer than 256 bits are kept, the largest bias between two
/// results is 2^-121.
fn digits(mut number: [u8; 32], alphabet: &[u8], count: usize) -> String {
    let base = alphabet.len();
    (0..count)
        .map(|_| {
            let mut remainder = 0;
            for byte in &mut number {
                let value = remainder * 256 + usize::from(*byte);
                // value < base * 256, so the quotient is below 256.
                *byte = (value / base) as u8;
                remainder = value % base;
            }
            char::from(alphabet[remainder])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_length_and_alphabet() {
        for _ in 0..200 {
            let job = job_id(os_random().unwrap());
            let tail = job.strip_prefix("run_").unwrap();
            assert_eq!(tail.len(), 26);
            assert!(tail.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{job}");
            assert_eq!(gen_id(os_random().unwrap()).len(), 20);
            let token = token(os_random().unwrap());
            assert_eq!(token.len(), 6 + 43);
            assert!(token[6..].bytes().all(|b| b.is_ascii_alphanumeric()), "{token}");
        }
    }

    #[test]
    fn a_token_keeps_every_bit() {
        let all: std::collections::HashSet<_> = (0..256)
            .map(|bit| {
                let mut random = [0; 32];
                random[bit / 8] = 1 << (bit % 8);
                token(random)
            })
            .collect();
        assert_eq!(all.len(), 256);
        assert_eq!(token([0; 32]), format!("imgen_{}", "A".repeat(43)));
    }

    #[test]
    fn digits_are_those_of_the_number() {
        let mut random = [0; 32];
        random[30] = 1;
        random[31] = 4; // 260 = 7 * 36 + 8
        assert_eq!(digits(random, BASE36, 3), "iha");
    }
}
