//! `If-Match` and its kin (RFC 9110, section 13).

use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Result, s3_error};
use time::OffsetDateTime;

/// What a reader asks of an object before it wants the bytes.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

impl Conditions {
    /// # Errors
    /// `PreconditionFailed` (412) or `NotModified` (304); an entity tag goes before a time, as the RFC has it.
    pub(super) fn check(self, etag: &ETag, modified: OffsetDateTime) -> S3Result<()> {
        // HTTP dates have whole seconds.
        let modified = modified.replace_nanosecond(0).unwrap_or(modified);
        let same = |condition: ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(asked) => asked.value() == etag.value(),
        };
        match (self.if_match, self.if_unmodified_since) {
            (Some(condition), _) if !same(condition.clone()) => return Err(s3_error!(PreconditionFailed)),
            (None, Some(time)) if modified > OffsetDateTime::from(time.clone()) => {
                return Err(s3_error!(PreconditionFailed));
            }
            _ => {}
        }
        match (self.if_none_match, self.if_modified_since) {
            (Some(condition), _) if same(condition.clone()) => Err(s3_error!(NotModified)),
            (None, Some(time)) if modified <= OffsetDateTime::from(time.clone()) => {
                Err(s3_error!(NotModified))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn tags_go_before_times() {
        let etag = ETag::Strong("abc".to_owned());
        let modified = datetime!(2025-03-29 20:02:50.7 UTC);
        let tag = |value: &str| Some(ETagCondition::ETag(ETag::Strong(value.to_owned())));
        let at = |seconds| {
            Some(Timestamp::from(datetime!(2025-03-29 20:02:50 UTC) + time::Duration::seconds(seconds)))
        };
        let status = |conditions: Conditions| {
            let error = conditions.check(&etag, modified).err()?;
            error.status_code().map(|status| status.as_u16())
        };
        assert_eq!(status(Conditions::default()), None);
        assert_eq!(status(Conditions { if_match: tag("abc"), ..Conditions::default() }), None);
        assert_eq!(status(Conditions { if_match: tag("abd"), ..Conditions::default() }), Some(412));
        assert_eq!(status(Conditions { if_none_match: tag("abc"), ..Conditions::default() }), Some(304));
        assert_eq!(
            status(Conditions { if_none_match: Some(ETagCondition::Any), ..Conditions::default() }),
            Some(304)
        );
        assert_eq!(status(Conditions { if_modified_since: at(0), ..Conditions::default() }), Some(304));
        assert_eq!(status(Conditions { if_modified_since: at(-1), ..Conditions::default() }), None);
        assert_eq!(status(Conditions { if_unmodified_since: at(-1), ..Conditions::default() }), Some(412));
        let both =
            Conditions { if_none_match: tag("other"), if_modified_since: at(0), ..Conditions::default() };
        assert_eq!(status(both), None);
    }
}
