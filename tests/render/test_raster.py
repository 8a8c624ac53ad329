"""The z-buffer and the camera, on shapes whose pictures are known."""

from __future__ import annotations

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.render.camera import VIEWS, Camera, camera_of, frame
from semanticface.render.raster import draw, folds, vertex_normals


def sphere(rings: int = 40, turns: int = 48, radius: float = 0.1):
    polar = np.linspace(1e-3, np.pi - 1e-3, rings)
    turn = np.linspace(0, 2 * np.pi, turns, endpoint=False)
    t, p = np.meshgrid(polar, turn, indexing="ij")
    points = np.stack([np.sin(t) * np.sin(p), np.cos(t), np.sin(t) * np.cos(p)], -1)
    i = np.arange(rings * turns).reshape(rings, turns)
    a, b = i[:-1], i[1:]
    c, d = np.roll(a, -1, 1), np.roll(b, -1, 1)
    quads = [np.stack(corners, -1).reshape(-1, 3) for corners in ((a, b, c), (c, b, d))]
    return (
        np.ascontiguousarray(radius * points.reshape(-1, 3), np.float32),
        np.concatenate(quads).astype(np.int32),
    )


def drawn(screen, triangles, size=32, closed=0):
    near, seen = np.zeros((size, size), np.float32), np.zeros((size, size), np.int32)
    flags = np.full(len(triangles), closed, np.uint8)
    draw(np.asarray(screen, np.float32), np.asarray(triangles, np.int32), flags, near, seen)
    return near, seen


def test_a_triangle_covers_the_samples_inside_it():
    near, seen = drawn([[4, 4, 1], [4, 20, 1], [20, 4, 1]], [[0, 1, 2]])
    y, x = np.mgrid[0:32, 0:32] + 0.5
    inside = (x >= 4) & (y >= 4) & (x + y <= 24)
    edge = np.abs(x + y - 24) < 1e-3
    assert np.array_equal((seen == 1) | edge, inside | edge)
    assert (near[seen == 1] == 1).all()


def test_backs_are_marked_and_solid_bodies_have_none():
    corners = [[4, 4, 1], [20, 4, 1], [4, 20, 1]]  # clockwise on the screen: from behind
    assert (drawn(corners, [[0, 1, 2]])[1] == -1).any()
    assert not drawn(corners, [[0, 1, 2]], closed=1)[1].any()


def test_the_nearer_triangle_wins_in_either_order():
    far = [[2, 2, 1], [2, 30, 1], [30, 2, 1]]
    close = [[2, 2, 2], [2, 30, 2], [30, 2, 2]]
    for order in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        near, seen = drawn(far + close, order)
        assert set(np.unique(near)) == {0, 2}
        assert set(np.unique(seen)) == {0, order.index([3, 4, 5]) + 1}


def test_triangles_far_outside_and_of_no_area_do_no_harm():
    wild = [[-1e6, -1e6, 1], [1e6, 3, 1], [5, 1e6, 1], [7, 7, 1], [7, 7, 1], [9, 9, 1]]
    near, seen = drawn(wild, [[0, 1, 2], [3, 4, 5], [3, 3, 3]])
    assert np.isfinite(near).all()
    assert set(np.unique(seen)) <= {0, 1, -1}


def test_a_sphere_has_no_pinholes_and_smooth_normals():
    points, triangles = sphere()
    camera = frame(camera_of("front"), points, 256, 256)
    near, seen = drawn(camera.project(points, 256, 256), triangles, 256)
    for row in seen:  # on each row the sphere is one run without gaps
        covered = np.flatnonzero(row)
        assert len(covered) == 0 or len(covered) == covered[-1] - covered[0] + 1
    assert (seen[near > 0] > 0).all()
    normals = np.zeros_like(points)
    vertex_normals(points, triangles, normals)
    assert np.abs(normals - points / 0.1).max() < 0.08


def test_folds_tell_a_furrow_from_a_ridge():
    points, triangles = sphere()
    normals, fold = np.zeros_like(points), np.zeros(len(points), np.float32)
    vertex_normals(points, triangles, normals)
    room = np.zeros((len(points), 4), np.float32)
    folds(points, triangles, normals, np.zeros_like(fold), room, fold)
    assert (fold[100:-100] < 0).all()  # a sphere is a ridge everywhere
    folds(points, triangles, -normals, np.zeros_like(fold), room, fold)
    assert (fold[100:-100] > 0).all()


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_holds_everything(view):
    sides = (-0.1, 0.1), (-0.15, 0.12), (-0.18, 0.05)
    corners = np.array(
        [(x, y, z) for x in sides[0] for y in sides[1] for z in sides[2]], np.float32
    )
    for width, height in ((256, 256), (320, 180), (180, 320)):
        seen = frame(camera_of(view), corners, width, height).project(corners, width, height)
        assert (seen[:, :2] > 0).all()
        assert (seen[:, 0] < width).all()
        assert (seen[:, 1] < height).all()


def test_axes_are_a_rotation_and_the_left_of_the_face_is_on_the_right():
    for yaw, pitch in ((0, 0), (40, 20), (-90, 10)):
        axes = camera_of((yaw, pitch)).axes
        assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-6)
        assert np.isclose(np.linalg.det(axes), 1)
    front = Camera(distance=1.0).project(np.array([[0.05, 0.02, 0]], np.float32), 100, 100)
    assert front[0, 0] > 50
    assert front[0, 1] < 50
    assert camera_of("left").axes[2] @ (1, 0, 0) == pytest.approx(1)  # stands on the left
    assert camera_of("high").axes[2] @ (0, 1, 0) > 0.3


def test_views_by_number_and_by_wrong_name():
    assert camera_of("30,-5").yaw == pytest.approx(np.radians(30))
    assert camera_of("-45").yaw == pytest.approx(np.radians(-45))
    for wrong in ("fornt", "1,2,3", "0,120", ""):
        with pytest.raises(BadInput):
            camera_of(wrong)
