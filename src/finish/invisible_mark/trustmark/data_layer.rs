//! A payload as the 100 bits that the networks carry, and back: `datalayer.py` of the reference.
//!
//! Data, check bits, and four bits that name the schema. The check bits are those of the data filled up with zeros to
//! whole bytes.

use super::SECRET_BITS;
use super::bch::Bch;

/// Bits that name the schema.
const VERSION_BITS: usize = 4;

/// The reference's encodings, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schema {
    Super = 0,
    Bch5 = 1,
    Bch4 = 2,
    Bch3 = 3,
}

impl Schema {
    pub(super) const ALL: [Self; 4] = [Self::Super, Self::Bch5, Self::Bch4, Self::Bch3];

    /// Wrong bits that are put right.
    pub(super) fn corrects(self) -> usize {
        match self {
            Self::Super => 8,
            Self::Bch5 => 5,
            Self::Bch4 => 4,
            Self::Bch3 => 3,
        }
    }

    /// Bits of data.
    pub(super) fn capacity(self) -> usize {
        SECRET_BITS - VERSION_BITS - self.check_bits()
    }

    pub(super) fn check_bits(self) -> usize {
        7 * self.corrects()
    }
}

/// What was read from a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) schema: Schema,
    pub(super) data: Vec<bool>,
    pub(super) bit_errors: usize,
}

/// Data beyond the schema's capacity is cut off, and what is missing is zeros.
pub(super) fn encode(schema: Schema, data: &[bool]) -> [bool; SECRET_BITS] {
    let capacity = schema.capacity();
    let mut padded = data.get(..capacity).unwrap_or(data).to_vec();
    padded.resize(capacity.next_multiple_of(8), false);
    let check = Bch::new(schema.corrects()).check(&padded);
    let version = (0..VERSION_BITS).rev().map(|bit| (schema as usize >> bit) & 1 == 1);
    let mut packet = [false; SECRET_BITS];
    let bits = padded[..capacity].iter().copied().chain(check).chain(version);
    packet.iter_mut().zip(bits).for_each(|(place, bit)| *place = bit);
    packet
}

/// `None` where there are more wrong bits than can be put right. The schema is named by the last two bits, which nothing
/// protects; the two before them are not looked at, as in the reference.
pub(super) fn decode(packet: &[bool; SECRET_BITS]) -> Option<Found> {
    let version = 2 * usize::from(packet[SECRET_BITS - 2]) + usize::from(packet[SECRET_BITS - 1]);
    let schema = Schema::ALL.into_iter().find(|schema| *schema as usize == version)?;
    let (capacity, check_bits) = (schema.capacity(), schema.check_bits());
    let mut word = packet[..capacity].to_vec();
    word.resize(capacity.next_multiple_of(8), false);
    let padded = word.len();
    word.extend_from_slice(&packet[capacity..capacity + check_bits]);
    let bit_errors = Bch::new(schema.corrects()).correct(&mut word)?;
    // The zeros that fill the last byte were never sent, so none of them can be wrong.
    if word[capacity..padded].contains(&true) {
        return None;
    }
    word.truncate(capacity);
    Some(Found { schema, data: word, bit_errors })
}
