"""What the names of repos and models say."""
