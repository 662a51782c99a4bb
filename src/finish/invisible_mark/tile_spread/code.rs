//! The payload as coded bits: CRC-32, then a convolutional code; back by a soft Viterbi decoder.

/// Payload, checksum and the zeros that bring the encoder home.
pub(super) const MESSAGE_BITS: usize = 64 + 32;
const MEMORY: usize = 8;
const STEPS: usize = MESSAGE_BITS + MEMORY;
/// Best rate-1/4 code of constraint length 9 (J. G. Proakis, Digital Communications, table 8.2-3).
const POLYNOMIALS: [u16; 4] = [0o463, 0o535, 0o733, 0o745];
pub(super) const CODED_BITS: usize = STEPS * POLYNOMIALS.len();

/// CRC-32 (ISO 3309), bit by bit: 64 bits need no table.
fn crc32(payload: u64) -> u32 {
    let mut crc = u32::MAX;
    for byte in payload.to_be_bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

fn message(payload: u64) -> u128 {
    u128::from(payload) << 32 | u128::from(crc32(payload))
}

/// Outputs of the encoder for a register of nine bits, the newest lowest: one bit a polynomial.
fn outputs(register: u16) -> [bool; 4] {
    POLYNOMIALS.map(|polynomial| (register & polynomial).count_ones() % 2 == 1)
}

/// [`CODED_BITS`] signs.
pub(super) fn encode(payload: u64) -> Vec<bool> {
    let message = message(payload);
    let mut register = 0u16;
    let mut coded = Vec::with_capacity(CODED_BITS);
    for step in 0..STEPS {
        let bit = step < MESSAGE_BITS && message >> (MESSAGE_BITS - 1 - step) & 1 == 1;
        register = (register << 1 | u16::from(bit)) & 0x1ff;
        coded.extend(outputs(register));
    }
    coded
}

/// The likeliest payload of soft bits (positive: 1), if its checksum holds.
pub(super) fn decode(soft: &[f32]) -> Option<u64> {
    const STATES: usize = 1 << MEMORY;
    // Which of the sixteen possible outputs a register has.
    let table: Vec<usize> = (0..2 * STATES as u16)
        .map(|register| outputs(register).iter().fold(0, |word, &bit| word << 1 | usize::from(bit)))
        .collect();
    let mut metric = vec![f32::NEG_INFINITY; STATES];
    metric[0] = 0.0;
    let mut decisions = vec![[0u64; STATES / 64]; STEPS];
    for (step, chunk) in soft.chunks_exact(4).take(STEPS).enumerate() {
        let mut next = vec![f32::NEG_INFINITY; STATES];
        let mut branches = [0.0f32; 16];
        for (word, branch) in branches.iter_mut().enumerate() {
            let signed = chunk
                .iter()
                .enumerate()
                .map(|(i, soft)| if word >> (3 - i) & 1 == 1 { *soft } else { -soft });
            *branch = signed.sum();
        }
        for (state, best) in next.iter_mut().enumerate() {
            // The register that led here: this state with one of two oldest bits.
            if step >= MESSAGE_BITS && state & 1 == 1 {
                continue;
            }
            for old in 0..2 {
                let register = old << MEMORY | state;
                let before = metric[register >> 1];
                let branch = branches[table[register]];
                if before + branch > *best {
                    *best = before + branch;
                    let word = &mut decisions[step][state / 64];
                    *word = *word & !(1 << (state % 64)) | (old as u64) << (state % 64);
                }
            }
        }
        metric = next;
    }
    let mut state = 0usize;
    let mut message = 0u128;
    for step in (0..STEPS).rev() {
        if step < MESSAGE_BITS {
            message |= ((state & 1) as u128) << (MESSAGE_BITS - 1 - step);
        }
        let old = (decisions[step][state / 64] >> (state % 64) & 1) as usize;
        state = (old << MEMORY | state) >> 1;
    }
    let payload = (message >> 32) as u64;
    (message as u32 == crc32(payload)).then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_put_right() {
        for payload in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            let soft: Vec<f32> = encode(payload).into_iter().map(|b| if b { 1.0 } else { -1.0 }).collect();
            assert_eq!(soft.len(), CODED_BITS);
            assert_eq!(decode(&soft), Some(payload));
            let noisy: Vec<f32> =
                soft.iter().enumerate().map(|(i, bit)| if i % 7 == 0 { -0.9 * bit } else { *bit }).collect();
            assert_eq!(decode(&noisy), Some(payload));
        }
    }

    #[test]
    fn chance_is_no_payload() {
        assert_eq!(decode(&[0.0; CODED_BITS]), None);
        let mut state = 1u32;
        for _ in 0..200 {
            let soft: Vec<f32> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from((state >> 16) as i16)
            })
            .take(CODED_BITS)
            .collect();
            assert_eq!(decode(&soft), None);
        }
    }

    #[test]
    fn the_checksum_is_crc_32() {
        // zlib.crc32(b"12345678")
        assert_eq!(crc32(u64::from_be_bytes(*b"12345678")), 0x9ae0_daaf);
    }
}
