"""What a team and its customers ask of permission: grounds, proof, what runs out, who leaves."""
