//! Records: what a delivered picture can be traced back to, by its mark, its manifest or its likeness.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::jobs_table::Claim;
use super::{StoreConfig, StoreError, database, moment};
use crate::plan::record_name;

/// The schemas that brought the table, and all of its columns.
const FIRST: u32 = 3;
const SINCE: u32 = 4;

/// All but the order of completion.
const COLUMNS: &str = "record_id, job_id, key_id, picture_index, created_at_ms, pdq, pdq_quality, mark_alg,
    mark_bit_errors, mark_strength, manifest_id, manifest, thumbnail_manifest_id, thumbnail_manifest_sha256, facts";

/// Keeps ids of this kind apart from any other hash of the same names.
const DOMAIN: &[u8] = b"imgen.record.1";

/// The 64 bits that stand for picture `index` (from 0) of the job that draws under `gen_id`: the invisible mark's payload.
/// The first 8 bytes, big endian, of SHA-256 over a prefix, the gen_id and the index as 4 bytes, big endian.
pub fn record_id(gen_id: &str, index: u32) -> u64 {
    let hash = Sha256::new().chain_update(DOMAIN).chain_update(gen_id).chain_update(index.to_be_bytes());
    hash.finalize().iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte))
}

/// One picture of a job that has just ended, as the kitchen hands it over.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRecord {
    /// From [`record_id`].
    pub record_id: u64,
    /// Counts from 0 within the job.
    pub picture_index: u32,
    /// PDQ of the final pixels, as `pdq::Hash256` keeps it.
    pub pdq: [u8; 32],
    /// 0 to 100.
    pub pdq_quality: u8,
    /// `None` where no mark was set.
    pub mark: Option<RecordedMark>,
    /// `None` where nothing was signed.
    pub manifest: Option<RecordedManifest>,
    /// `None` where nothing was signed.
    pub thumbnail_manifest: Option<ManifestDigest>,
    /// How the picture was made: model, style, character, size, seed, steps, guidance, sampler, prompt, positive,
    /// negative, object keys, the recipe with its salt.
    pub facts: Value,
}

/// The invisible mark as it was read back from the final bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedMark {
    /// Name of the algorithm, as in the soft-binding assertion.
    pub alg: String,
    /// Coded bits that had to be corrected when it was read back.
    pub bit_errors: u32,
    /// 1.0 is the usual strength.
    pub strength: f64,
}

/// A C2PA manifest.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordedManifest {
    /// `urn:c2pa:…`.
    pub id: String,
    /// The manifest store, `application/c2pa`.
    pub jumbf: Vec<u8>,
}

impl std::fmt::Debug for RecordedManifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordedManifest").field("id", &self.id).field("bytes", &self.jumbf.len()).finish()
    }
}

/// What is kept of a thumbnail's manifest: enough to know it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestDigest {
    /// `urn:c2pa:…`.
    pub id: String,
    /// Of the manifest store.
    pub sha256: [u8; 32],
}

impl ManifestDigest {
    pub fn new(id: String, jumbf: &[u8]) -> Self {
        Self { id, sha256: sha256(jumbf) }
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A record as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub record_id: u64,
    pub job_id: String,
    /// The API key that asked for the picture.
    pub key_id: i64,
    pub picture_index: u32,
    pub created_at: OffsetDateTime,
    pub pdq: [u8; 32],
    pub pdq_quality: u8,
    pub mark: Option<RecordedMark>,
    pub manifest: Option<RecordedManifest>,
    pub thumbnail_manifest: Option<ManifestDigest>,
    pub facts: Value,
}

impl Record {
    /// Whether this manifest store is, byte for byte, the one with which the picture or its thumbnail was delivered. Anyone
    /// can write the same id into a manifest of their own.
    pub fn has_manifest(&self, store_sha256: [u8; 32]) -> bool {
        let picture = self.manifest.as_ref().is_some_and(|own| sha256(&own.jumbf) == store_sha256);
        picture || self.thumbnail_manifest.as_ref().is_some_and(|own| own.sha256 == store_sha256)
    }
}

/// What the search by likeness keeps of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredFingerprint {
    /// The order of completion.
    pub seq: i64,
    pub record_id: u64,
    pub pdq: [u8; 32],
    pub pdq_quality: u8,
}

/// Written in the transaction that completes the job. What is there of the same picture stays.
///
/// # Errors
/// [`StoreError::RecordTaken`] where an id belongs to another picture: then a copy of this one would lead to that one, so
/// nothing of the job is to be completed.
pub(super) fn insert(
    connection: &Connection,
    claim: &Claim,
    records: &[NewRecord],
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(&format!(
        "INSERT INTO records ({COLUMNS})
         SELECT :record_id, id, key_id, :picture_index, :now, :pdq, :pdq_quality, :mark_alg, :mark_bit_errors,
             :mark_strength, :manifest_id, :manifest, :thumbnail_manifest_id, :thumbnail_sha256, :facts
         FROM jobs WHERE id = :job_id
         ON CONFLICT DO NOTHING"
    ))?;
    for record in records {
        let (mark, manifest) = (record.mark.as_ref(), record.manifest.as_ref());
        let thumbnail = record.thumbnail_manifest.as_ref();
        let inserted = insert.execute(named_params! {
            ":record_id": record.record_id.cast_signed(),
            ":job_id": claim.id,
            ":picture_index": record.picture_index,
            ":now": now_ms,
            ":pdq": record.pdq,
            ":pdq_quality": record.pdq_quality,
            ":mark_alg": mark.map(|mark| &mark.alg),
            ":mark_bit_errors": mark.map(|mark| mark.bit_errors),
            ":mark_strength": mark.map(|mark| mark.strength),
            ":manifest_id": manifest.map(|manifest| &manifest.id),
            ":manifest": manifest.map(|manifest| &manifest.jumbf),
            ":thumbnail_manifest_id": thumbnail.map(|thumbnail| &thumbnail.id),
            ":thumbnail_sha256": thumbnail.map(|thumbnail| thumbnail.sha256),
            ":facts": serde_json::to_string(&record.facts)?,
        })?;
        if inserted == 0 && !is_there(connection, claim, record)? {
            return Err(StoreError::RecordTaken { record: record_name(record.record_id) });
        }
    }
    Ok(())
}

/// Whether this very picture has its record: its job ran twice.
fn is_there(connection: &Connection, claim: &Claim, record: &NewRecord) -> Result<bool, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT 1 FROM records WHERE record_id = ?1 AND job_id = ?2 AND picture_index = ?3",
    )?;
    Ok(select.exists((record.record_id.cast_signed(), &claim.id, record.picture_index))?)
}

/// The records, for whoever only reads. A clone shares the connection. Every call blocks: not for the event loop.
#[derive(Clone)]
pub struct Records {
    connection: Arc<Mutex<Connection>>,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}

impl Records {
    /// The records of a data folder, whoever else works with it; `None` where there is no database, or one from before
    /// there were records. Changes nothing.
    ///
    /// # Errors
    /// A database of another version, and one that cannot be read.
    pub fn open(config: &StoreConfig) -> Result<Option<Self>, StoreError> {
        let Some((connection, found)) = database::open_known(config)? else { return Ok(None) };
        if (FIRST..SINCE).contains(&found) {
            return Err(StoreError::TooOld { path: config.database(), found, known: SINCE });
        }
        Ok((found >= SINCE).then(|| Self { connection: Arc::new(Mutex::new(connection)) }))
    }

    /// The record that a mark names.
    pub fn by_id(&self, record_id: u64) -> Result<Option<Record>, StoreError> {
        self.load("record_id = ?1", record_id.cast_signed())
    }

    /// The record of a picture or thumbnail that carries this manifest.
    pub fn by_manifest_id(&self, manifest_id: &str) -> Result<Option<Record>, StoreError> {
        // Of thumbnails from before their manifests' hashes were kept, none can be known again.
        let thumbnail = "thumbnail_manifest_id = ?1 AND thumbnail_manifest_sha256 IS NOT NULL";
        self.load(&format!("manifest_id = ?1 OR {thumbnail}"), manifest_id)
    }

    /// The fingerprints of at most `count` records that were completed after `seq`, in that order; 0 for the first.
    pub fn fingerprints_after(&self, seq: i64, count: u32) -> Result<Vec<StoredFingerprint>, StoreError> {
        let connection = self.lock();
        let mut select = connection.prepare_cached(
            "SELECT seq, record_id, pdq, pdq_quality FROM records INDEXED BY records_fingerprints
             WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let found = select.query_map((seq, count), |row| {
            Ok(StoredFingerprint {
                seq: row.get(0)?,
                record_id: row.get::<_, i64>(1)?.cast_unsigned(),
                pdq: row.get(2)?,
                pdq_quality: row.get(3)?,
            })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn load(&self, condition: &str, parameter: impl rusqlite::ToSql) -> Result<Option<Record>, StoreError> {
        let connection = self.lock();
        let mut select =
            connection.prepare_cached(&format!("SELECT {COLUMNS} FROM records WHERE {condition} LIMIT 1"))?;
        let found = select.query_row([parameter], |row| Ok((read(row)?, row.get::<_, String>("facts")?)));
        let Some((record, facts)) = found.optional()? else { return Ok(None) };
        Ok(Some(Record { facts: serde_json::from_str(&facts)?, ..record }))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A read that panicked leaves the connection as it was.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All but the facts, which are not read by SQLite.
fn read(row: &Row<'_>) -> rusqlite::Result<Record> {
    let mark = match row.get::<_, Option<String>>("mark_alg")? {
        Some(alg) => Some(RecordedMark {
            alg,
            bit_errors: row.get("mark_bit_errors")?,
            strength: row.get("mark_strength")?,
        }),
        None => None,
    };
    let manifest = match row.get::<_, Option<String>>("manifest_id")? {
        Some(id) => Some(RecordedManifest { id, jumbf: row.get("manifest")? }),
        None => None,
    };
    let thumbnail_manifest = match row.get::<_, Option<[u8; 32]>>("thumbnail_manifest_sha256")? {
        Some(sha256) => Some(ManifestDigest { id: row.get("thumbnail_manifest_id")?, sha256 }),
        None => None,
    };
    Ok(Record {
        record_id: row.get::<_, i64>("record_id")?.cast_unsigned(),
        job_id: row.get("job_id")?,
        key_id: row.get("key_id")?,
        picture_index: row.get("picture_index")?,
        created_at: moment(row.get("created_at_ms")?),
        pdq: row.get("pdq")?,
        pdq_quality: row.get("pdq_quality")?,
        mark,
        manifest,
        thumbnail_manifest,
        facts: Value::Null,
    })
}
