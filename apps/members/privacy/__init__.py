"""Privacy: consents with proof, a member's own data as one file, and erasure with a certificate.

What each room holds of a member stands in `holdings`: how it is told, how it goes, what stays and why.
"""
