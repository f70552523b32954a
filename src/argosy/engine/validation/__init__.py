"""What Argo's validation refuses, refused before the first step, with the path of the field."""
