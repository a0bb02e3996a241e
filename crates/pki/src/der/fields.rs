//! Reading the fields of a structure, each under the name that its standard gives it.

use super::{DerError, Element, Reader, Tag};

/// The fields of a structure, one after the other: [`Reader`], with errors that say which field.
pub(crate) struct Fields<'b>(Reader<'b>);

/// Which field cannot be read, as its standard calls it, and why.
pub(crate) struct FieldError {
    pub(crate) field: &'static str,
    pub(crate) source: DerError,
}

impl<'b> Fields<'b> {
    /// The fields that a structure consists of.
    pub(crate) fn of(structure: &Element<'b>) -> Self {
        Self(structure.reader())
    }

    /// The next field, which must be there.
    pub(crate) fn next<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(Element<'b>) -> Result<T, DerError>,
    ) -> Result<T, FieldError> {
        self.read(field, |reader| read(reader.next()?))
    }

    /// The next field if it has the tag.
    pub(crate) fn optional<T>(
        &mut self,
        field: &'static str,
        tag: Tag,
        read: impl FnOnce(Element<'b>) -> Result<T, DerError>,
    ) -> Result<Option<T>, FieldError> {
        self.read(field, |reader| reader.optional(tag)?.map(read).transpose())
    }

    /// What `read` takes of what is left, as the field.
    pub(crate) fn read<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&mut Reader<'b>) -> Result<T, DerError>,
    ) -> Result<T, FieldError> {
        read(&mut self.0).map_err(|source| FieldError { field, source })
    }

    /// Nothing may be left of the structure.
    pub(crate) fn finish(&mut self, structure: &'static str) -> Result<(), FieldError> {
        self.read(structure, |reader| reader.finish())
    }
}

/// Turns what is wrong with a field, or with an extension, into an error that has a variant for each:
/// those of certificates, requests, CRLs and OCSP, which their callers can tell apart.
macro_rules! from_field_errors {
    ($error:ty) => {
        impl From<$crate::der::FieldError> for $error {
            fn from(error: $crate::der::FieldError) -> Self {
                let $crate::der::FieldError { field, source } = error;
                Self::Field { field, source }
            }
        }

        impl From<$crate::extension::ExtensionError> for $error {
            fn from(error: $crate::extension::ExtensionError) -> Self {
                use $crate::extension::ExtensionError;
                match error {
                    ExtensionError::Field(error) => error.into(),
                    ExtensionError::Extension { oid, source } => Self::Extension {
                        name: oid.name_or_dots(),
                        source,
                    },
                }
            }
        }
    };
}

pub(crate) use from_field_errors;
