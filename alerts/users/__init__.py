"""Who may use the desk: users with a role, their passwords, tokens and sessions."""
