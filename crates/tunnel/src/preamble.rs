//! What is said in clear before TLS: headers of the PROXY protocol, and STARTTLS on both sides.
