"""Segmentation: networks that mark liver and lesions voxel by voxel, from patches to a mask on the scan's own grid."""
