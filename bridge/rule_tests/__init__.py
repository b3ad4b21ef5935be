"""Rule tests of a plant folder, run on the bridge's own engine and settler. The notation is `ruleset.testing`."""
