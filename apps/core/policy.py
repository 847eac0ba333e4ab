"""What a page may load and run (Content-Security-Policy), and what it may ask of the device."""

PLAIN = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""For pages without Alpine: nothing inline, nothing compiled, nothing from elsewhere."""

# Alpine, which drives unfold's pages, compiles the expressions in their attributes.
SHELL = PLAIN.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'")

PERMISSIONS = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
