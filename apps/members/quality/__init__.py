"""The quality of what is known of members: rules per field, what they come to, and whether a programme may go live on it."""
