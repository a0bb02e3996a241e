//! How registries are written down: one line a code point.

/// Defines the type of a registry, its constants and its table. The lines rise by code, which a test
/// looks at. Beside the type of the number stands how many octets it has on the wire where it does
/// not fill the type, or `variable`.
macro_rules! code_points {
    (
        $(#[$doc:meta])*
        $type:ident($number:ident $(, $octets:tt)?), $registry:literal, $grease:ident;
        $($constant:ident $(as $name:literal)? = $code:literal, $judgement:ident, $reference:literal;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub $number);

        impl $type {
            $(
                #[doc = concat!("`", $crate::registry::table::name!($constant $($name)?), "`, ", $reference, ".")]
                pub const $constant: Self = Self($code);
            )*
        }

        #[allow(clippy::large_stack_arrays, reason = "tables are constants and on no stack")]
        impl $crate::registry::CodePoint for $type {
            const REGISTRY: &'static $crate::registry::Registry = &$crate::registry::Registry {
                name: $registry,
                octets: $crate::registry::table::octets!($number $($octets)?),
                grease: $crate::registry::Grease::$grease,
                assignments: &[$(
                    $crate::registry::Assignment {
                        code: $code,
                        name: $crate::registry::table::name!($constant $($name)?),
                        reference: $reference,
                        judgement: $crate::registry::Judgement::$judgement,
                    },
                )*],
            };

            fn code(self) -> u64 {
                u64::from(self.0)
            }

            #[allow(clippy::cast_possible_truncation, reason = "it is said to be cut")]
            fn from_code(code: u64) -> Self {
                Self((code & Self::REGISTRY.mask()) as $number)
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                <Self as $crate::registry::CodePoint>::REGISTRY.show(u64::from(self.0), f)
            }
        }

        impl ::std::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }
    };
}

/// The name of a code point: as it is written, or else that of the constant.
macro_rules! name {
    ($constant:ident $name:literal) => {
        $name
    };
    ($constant:ident) => {
        stringify!($constant)
    };
}

/// How many octets a number has on the wire.
macro_rules! octets {
    ($number:ident variable) => {
        0
    };
    ($number:ident $octets:literal) => {
        $octets
    };
    ($number:ident) => {
        size_of::<$number>()
    };
}

pub(super) use code_points;
pub(super) use name;
pub(super) use octets;
